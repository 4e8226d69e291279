"""Errors that a user can mend, and the exit status of each.

The text of an error is one line: what is wrong, with which file, and the remedy::

    EdgeEmoError                  1
    ├── DatasetError                  a folder or archive of images
    ├── ImageError                    one image
    │   ├── ImageTooLargeError
    │   ├── ImageTypeError            a TypeError, too
    │   └── NoFaceError
    ├── SpecError                     a model's spec
    ├── ModelFolderError              a model folder
    ├── EngineError                   a model file, or the engine that runs it
    │   └── CrashError                (edgeemo.bundle.device.crash_guard)
    ├── FaceModelError                a face detector's file
    ├── SourceError                   a camera, a video or another source of frames
    ├── OptionError                 2
    ├── OutputError                   an output of a live run
    ├── RequestError                  a request to a server
    ├── SignatureError                a signature, or a key
    ├── TrainingError                 training
    ├── ClusterError                  Ray, or a worker on it
    ├── StudyError                    a search for options
    ├── ExportError                   an export
    │   └── PartialExportError        to one of two formats
    ├── AdoptError                    a model file that cannot be adopted
    │   └── MissingOptionError      2
    ├── BundleError                   a bundle for a device
    ├── BenchError                    a benchmark
    ├── MissingExtraError             a package that is not installed
    └── GateError                 3
        ├── LimitError                limits of time, memory or size
        └── ParityError               agreement with the reference model

Standard library only, so that every other package may raise them.
"""

from __future__ import annotations

import os
import sys
from typing import Any

EXIT_OK = 0
EXIT_ERROR = 1
EXIT_USAGE = 2
EXIT_GATE_FAILED = 3
EXIT_INTERRUPTED = 130


class EdgeEmoError(Exception):
    """Base of every error that edgeemo raises for its user.

    The command line prints the text, one line, as it stands. `exit_code` is the exit status of a
    command that the error ends.
    """

    exit_code = EXIT_ERROR


class DatasetError(EdgeEmoError):
    """A folder or archive of images that cannot be used."""


class ImageError(EdgeEmoError):
    """An image that cannot be used."""


class ImageTooLargeError(ImageError):
    """An image of more pixels than is reasonable: perhaps a decompression bomb."""


class ImageTypeError(ImageError, TypeError):
    """A value that is no image: of another type, or an array of another shape, type or range."""


class NoFaceError(ImageError):
    """An image without a face, where the largest face is needed."""


class SpecError(EdgeEmoError):
    """A model's spec that is missing, malformed or contradicts the model."""


class ModelFolderError(EdgeEmoError):
    """A model folder that is missing, incomplete or would be overwritten."""


class EngineError(EdgeEmoError):
    """A model file that cannot be run: damaged, of an unknown kind, or refused by its engine."""


class FaceModelError(EdgeEmoError):
    """A face detector's file that is missing or cannot be used."""


class SourceError(EdgeEmoError):
    """A source of images that cannot be used: a camera, a video, or a bucket."""


class OptionError(EdgeEmoError):
    """An option that cannot be used, as it was typed or as a configuration file has it."""

    exit_code = EXIT_USAGE


class OutputError(EdgeEmoError):
    """An output that cannot be written: of a live run, or a folder that keeps results."""


class RequestError(EdgeEmoError):
    """A request that a server refuses, or does not answer.

    Attributes:
        status: The status of HTTP; 0 without an answer.
        retry_after_s: Seconds after which to try again; 0 where the server does not say.
    """

    def __init__(self, message: str, *, status: int = 0, retry_after_s: int = 0) -> None:
        super().__init__(message)
        self.status, self.retry_after_s = status, retry_after_s


class SignatureError(EdgeEmoError):
    """A signature that is missing or does not fit, or a key that cannot be used."""


class TrainingError(EdgeEmoError):
    """Training that cannot start or gives no model."""


class ClusterError(EdgeEmoError):
    """Ray that cannot be used, or a worker on it that was lost or differs."""


class StudyError(EdgeEmoError):
    """A search for options that cannot be stored or resumed, or gives no model."""


class ExportError(EdgeEmoError):
    """A model that cannot be exported, or an exported file that is not as required."""


class PartialExportError(ExportError):
    """A model that cannot be exported to one format; the files of the other are in the folder.

    Attributes:
        files: The files that were exported, as `edgeemo.export.export` returns them.
    """

    def __init__(self, message: str, *, files: tuple[Any, ...] = ()) -> None:
        super().__init__(message)
        self.files = files


class AdoptError(EdgeEmoError):
    """A model file of somebody else that cannot be adopted."""


class MissingOptionError(AdoptError):
    """A model file that does not tell a fact which an option has to give."""

    exit_code = EXIT_USAGE


class BundleError(EdgeEmoError):
    """A bundle for a device that cannot be made, or is damaged."""


class BenchError(EdgeEmoError):
    """A benchmark that cannot be run, or a file of measurements that cannot be used."""


class GateError(EdgeEmoError):
    """A result that fails a gate: everything ran, and the outcome is not good enough."""

    exit_code = EXIT_GATE_FAILED


class LimitError(GateError):
    """No measured candidate within the limits."""


class ParityError(GateError):
    """An exported file whose predictions differ from the reference model's.

    Attributes:
        report: The whole verification report, whatever the verification made of it.
    """

    def __init__(self, message: str, *, report: Any = None) -> None:
        super().__init__(message)
        self.report = report


class MissingExtraError(EdgeEmoError):
    """A package that is not installed; the text holds the command that installs it.

    Attributes:
        package: The package, as pip calls it.
        extra: The extra of edgeemo that brings it; empty for a package that every install has.
        purpose: What needs it.
    """

    def __init__(self, package: str, *, extra: str = "", purpose: str) -> None:
        remedy = install_command(package, extra=extra)
        super().__init__(f"{purpose} needs {package}, which is not installed: {remedy}")
        self.package = package
        self.extra = extra
        self.purpose = purpose


def install_command(package: str, *, extra: str = "") -> str:
    """Return the command that installs a package for the interpreter that runs this.

    Args:
        package: The package, as pip calls it.
        extra: The extra of edgeemo to install instead, from the checkout where this is one.
    """
    import shlex

    pip = f"{shlex.quote(sys.executable or 'python3')} -m pip install"
    if not extra:
        return f"{pip} {shlex.quote(package)}"
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120
    if not os.path.isfile(os.path.join(root, "pyproject.toml")):  # noqa: PTH113, PTH118
        return f"{pip} {shlex.quote(f'edgeemo[{extra}]')}"
    place = "." if root == os.getcwd() else root  # noqa: PTH109
    return f"{pip} -e {shlex.quote(f'{place}[{extra}]')}"


_SIGNALS = {
    "SIGILL": "it uses instructions that this processor does not have",
    "SIGABRT": "it aborted, perhaps out of memory",
    "SIGKILL": "it was killed, probably out of memory",
    "SIGBUS": "its file changed or the card could not be read",
}


def describe_crash(signal: str) -> str:
    """Return the message about a process with an engine that a signal, such as "SIGILL", ended."""
    meaning = _SIGNALS.get(signal, "the model cannot be run here")
    return f"the engine or numpy crashed ({signal}): {meaning}"
