"""A face detector's own file, which its SHA-256 identifies. Standard library only."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from edgeemo.errors import FaceModelError

if TYPE_CHECKING:
    from edgeemo.model.face_settings import FaceSettings

FACE_MODEL = "face-model.onnx"
"""Name of a detector's file in a model folder and in a bundle."""


@dataclass(frozen=True, kw_only=True)
class DetectorFile:
    """A YuNet ``.onnx`` file, read into memory.

    Attributes:
        content: Its bytes.
        name: Its name in messages.
        sha256: SHA-256 of its bytes, hexadecimal; computed.

    Raises:
        FaceModelError: If it is not an ONNX file.
    """

    content: bytes = field(repr=False)
    name: str = field(compare=False)
    sha256: str = field(init=False)

    def __post_init__(self) -> None:
        # An ONNX file begins with the field of its format's version.
        if not self.content.startswith(b"\x08"):
            from edgeemo.utils.git_lfs import describe_pointer

            pointer = describe_pointer(self.content, "face detector")
            if pointer:
                raise FaceModelError(f"{self.name}: {pointer}")
            raise FaceModelError(
                f"{self.name}: not an ONNX file; name a YuNet file, such as "
                "face_detection_yunet_2023mar.onnx of OpenCV's model zoo"
            )
        object.__setattr__(self, "sha256", hashlib.sha256(self.content).hexdigest())

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> DetectorFile:
        """Read a file.

        Raises:
            FaceModelError: If it cannot be read, or is not an ONNX file.
        """
        try:
            with open(path, "rb") as stream:  # noqa: PTH123 - pathlib is slow to import
                content = stream.read()
        except OSError as error:
            raise FaceModelError(f"{path}: cannot be read: {error.strerror or error}") from None
        return cls(content=content, name=os.fspath(path))


def find_detector_file(
    settings: FaceSettings | None, folder: str | os.PathLike[str]
) -> DetectorFile | None:
    """Read the detector's own file from a folder, where it lies as `FACE_MODEL`.

    Args:
        settings: The face settings, or None.
        folder: A model folder, or one of crops.

    Returns:
        None where the settings need no file, or the folder has none.

    Raises:
        FaceModelError: As `DetectorFile.read`.
    """
    path = os.path.join(folder, FACE_MODEL)  # noqa: PTH118
    if settings is None or not settings.file_sha256 or not os.path.exists(path):  # noqa: PTH110
        return None
    return DetectorFile.read(path)
