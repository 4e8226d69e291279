"""Files of detectors that users bring: known by their SHA-256, named once per process."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from edgeemo.errors import FaceModelError

if TYPE_CHECKING:
    import os

FACE_MODEL = "face-model.onnx"
"""The name of such a file in a model folder and in a bundle."""

_named: dict[str, bytes] = {}


def name_file(path: str | os.PathLike[str]) -> str:
    """Let a detector's file be found by its content from now on.

    Args:
        path: A YuNet ``.onnx`` file.

    Returns:
        Its SHA-256, hexadecimal, for `edgeemo.model.spec.FaceSettings.file_sha256`.

    Raises:
        FaceModelError: If it cannot be read, or is no ONNX file.
    """
    try:
        with open(path, "rb") as stream:  # noqa: PTH123 - pathlib is slow to import
            content = stream.read()
    except OSError as error:
        raise FaceModelError(f"{path}: cannot be read: {error.strerror or error}") from None
    return name_content(content, name=str(path))


def name_content(content: bytes, *, name: str) -> str:
    """As `name_file`, of a file's bytes.

    Args:
        content: The bytes.
        name: What to call the file in an error message.

    Raises:
        FaceModelError: If it is no ONNX file.
    """
    if not content.startswith(b"\x08"):  # the field of the format's version, which comes first
        raise FaceModelError(
            f"{name}: not an ONNX file; name a YuNet file, such as "
            "face_detection_yunet_2023mar.onnx of OpenCV's model zoo"
        )
    sha256 = hashlib.sha256(content).hexdigest()
    _named[sha256] = content
    return sha256


def named(sha256: str) -> bytes:
    """The bytes of the file with that SHA-256.

    Raises:
        FaceModelError: If nobody has named it.
    """
    if sha256 not in _named:
        raise FaceModelError(
            f"the model finds faces with a YuNet file (SHA-256 {sha256[:12]}…) that is not here; "
            "name it with --face-model"
        )
    return _named[sha256]
