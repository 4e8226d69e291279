"""The files for other programs that were made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from edgeemo.clients.c_array import CArray
    from edgeemo.clients.options import Form
    from edgeemo.clients.proof import Equality
    from edgeemo.model.container import Kind
    from edgeemo.verify.comparison import PredictionComparison


@dataclass(frozen=True, kw_only=True)
class ClientFile:
    """A file for another program.

    Attributes:
        path: Path of the file.
        form: Its form: "general", "frigate" or "mediapipe".
        kind: Its kind.
        made_of: Name of the verified file that it was made of.
        made_of_sha256: SHA-256 of that file.
        size_bytes: Its size.
        sha256: Its SHA-256.
        engine: Package and version of the engine that ran it.
        equality: Its predictions against those of the verified file.
        measured: Its predictions against those of the reference model; None without a test split.
    """

    path: Path
    form: Form
    kind: Kind
    made_of: str
    made_of_sha256: str
    size_bytes: int
    sha256: str
    engine: str
    equality: Equality
    measured: PredictionComparison | None


@dataclass(frozen=True, kw_only=True)
class ClientExport:
    """The files for other programs of a model.

    Attributes:
        folder: The folder of all of them.
        images: The images that they were compared on, in words.
        files: The files.
        c_array: The C++ source; None where it was not requested.
        notes: What a user of other programs has to know, as sentences.
    """

    folder: Path
    images: str
    files: tuple[ClientFile, ...]
    c_array: CArray | None
    notes: tuple[str, ...]
