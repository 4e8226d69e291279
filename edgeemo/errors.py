"""What can go wrong for a user, as exceptions whose text is one line: what, which file, what to do.

Standard library only, so that every other room may raise them.
"""

from __future__ import annotations

from typing import Any


class EdgeEmoError(Exception):
    """Base of every error that edgeemo raises for its user.

    The text is one line that the command line prints as it stands. `exit_code` is the process's
    exit status when the error ends a command.
    """

    exit_code = 1


class DatasetError(EdgeEmoError):
    """The folder or archive of images cannot be used."""


class ImageError(EdgeEmoError):
    """One image cannot be read."""


class NoFaceError(ImageError):
    """One image has no face, where the largest one was to be answered."""


class ImageTooLargeError(ImageError):
    """One image has more pixels than is reasonable: perhaps a decompression bomb."""


class SpecError(EdgeEmoError):
    """A model's specification is missing, malformed or contradicts the model."""


class ModelFolderError(EdgeEmoError):
    """A model folder is missing, incomplete or would be overwritten."""


class EngineError(EdgeEmoError):
    """A model file cannot be run: damaged, of an unknown kind, or refused by its engine."""


class FaceModelError(EdgeEmoError):
    """The file of a face detector is missing, or none that can be used."""


class TrainingError(EdgeEmoError):
    """Training cannot start or cannot give a model."""


class StudyError(EdgeEmoError):
    """A search for options cannot be kept, gone on with, or gives no model."""


class WorkerError(EdgeEmoError):
    """A process or machine that trains together with others is missing, has gone, or differs."""


class ExportError(EdgeEmoError):
    """A model cannot be exported, or an exported file is not what it must be."""


class BundleError(EdgeEmoError):
    """A bundle for a device cannot be made, or is damaged."""


class BenchError(EdgeEmoError):
    """Nothing can be measured, or a file of measurements cannot be used."""


class LimitError(EdgeEmoError):
    """No measured candidate keeps to the limits."""

    exit_code = 3


class ParityError(EdgeEmoError):
    """An exported file does not answer as the original does: a gate of the verification failed.

    Attributes:
        report: The whole verification report, whatever the verification made of it.
    """

    exit_code = 3

    def __init__(self, message: str, *, report: Any = None) -> None:
        super().__init__(message)
        self.report = report


class MissingExtraError(EdgeEmoError):
    """A package that an optional part of edgeemo needs is not installed."""

    def __init__(self, package: str, *, extra: str, purpose: str) -> None:
        super().__init__(
            f"{purpose} needs {package}, which is not installed: pip install 'edgeemo[{extra}]'"
        )
        self.package = package
        self.extra = extra


_MEANING = {
    "SIGILL": "it uses instructions that this processor does not have",
    "SIGABRT": "it gave up, perhaps for want of memory",
    "SIGKILL": "it was killed, probably for want of memory",
    "SIGBUS": "its file changed or the card could not be read",
}


def crashed(signal: str) -> str:
    """What is said of a process with an engine that a signal, such as "SIGILL", has ended."""
    meaning = _MEANING.get(signal, "the model cannot be run here")
    return f"the engine or numpy crashed ({signal}): {meaning}"
