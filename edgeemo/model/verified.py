"""Read ``verify.json``: which exported files passed their verification, and with what figures.

Nothing else reads that file. Standard library only, and of it only what starts fast.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from edgeemo.errors import ModelFolderError
from edgeemo.utils.strict_json import parse_object, require, require_fields

if TYPE_CHECKING:
    from collections.abc import Mapping

VERIFY_JSON = "verify.json"


class VerifiedFile:
    """The entry of one exported file in ``verify.json``.

    Args:
        entry: The entry, as `edgeemo.verify.FileVerification` is written.

    Attributes:
        equal_to: The verified file that a file for other programs was proved equal to, or "".
    """

    def __init__(self, entry: Mapping[str, Any]) -> None:
        self.file: str = entry.get("file", "")
        self.sha256: str = entry.get("sha256", "")
        self.kind: str = entry.get("kind", "")
        self.passed: bool = entry.get("passed") is True
        self.equal_to: str = (entry.get("equality") or {}).get("file", "")
        self._entry = entry
        self._measured: Mapping[str, Any] = entry.get("measured") or {}

    @property
    def n(self) -> int | None:
        """Return the number of test images; None if the file was not run."""
        return self._measured.get("n")

    @property
    def accuracy(self) -> tuple[float, float, float] | None:
        """Return the accuracy with the ends of its 95 % interval; None if it was not run."""
        found = self._measured.get("accuracy")
        if not found:
            return None
        candidate = found["candidate"]
        return candidate["value"], candidate["low"], candidate["high"]

    @property
    def accuracy_n(self) -> int | None:
        """Return the number of test images of the accuracy: those of the classes."""
        found = self._measured.get("accuracy")
        return found["candidate"].get("n", self.n) if found else None

    @property
    def max_difference(self) -> float | None:
        """Return the largest difference of a probability; None if the file was not run."""
        return self._measured.get("max_difference")

    @property
    def figures(self) -> dict[str, Any]:
        """Return the whole entry, without the names of images."""
        measured = {key: value for key, value in self._measured.items() if key != "flips"}
        return {**self._entry, "measured": measured}


def parse_entry(entry: Any) -> VerifiedFile:
    """Return the entry of a file after checking the types of its values.

    Raises:
        KeyError: If its accuracy is incomplete.
        ValueError: If it is not an object, or a value has another type.
    """
    fields = require_fields(entry, {"file": str, "sha256": str, "kind": str})
    require_fields(fields.get("equality") or {}, {"file": str})
    measured = require_fields(fields.get("measured") or {}, {"n": int, "max_difference": float})
    accuracy = require(measured.get("accuracy") or {}, dict, "accuracy")
    if accuracy:
        candidate = require(accuracy["candidate"], dict, "candidate")
        for name in ("value", "low", "high"):
            require(candidate[name], float, name)
    return VerifiedFile(fields)


def read_verification(folder: str | os.PathLike[str]) -> list[VerifiedFile]:
    """Return the entries of the ``verify.json`` in a folder; none without such a file.

    Raises:
        ModelFolderError: If the file is malformed.
    """
    path = os.path.join(folder, VERIFY_JSON)  # noqa: PTH118 - pathlib is slow to import
    try:
        with open(path, "rb") as stream:  # noqa: PTH123
            entries = parse_object(stream.read())["files"]
        return [parse_entry(entry) for entry in require(entries, list, "files")]
    except OSError:
        return []
    except (ValueError, KeyError):
        raise ModelFolderError(f"{path}: malformed; run 'edgeemo verify' again") from None


def find_verification(path: str | os.PathLike[str], *, sha256: str) -> VerifiedFile | None:
    """Return the entry of an exported file in the ``verify.json`` beside it, or None.

    Args:
        path: The exported file.
        sha256: SHA-256 of its bytes, hexadecimal; the entry is that of these very bytes.
    """
    folder = os.path.dirname(os.fspath(path))  # noqa: PTH120
    try:
        found = read_verification(folder)
    except ModelFolderError:
        return None
    return next((each for each in found if each.sha256 == sha256), None)


def is_verified(path: str | os.PathLike[str], *, sha256: str) -> bool:
    """Return whether the ``verify.json`` beside an exported file says that its bytes passed.

    Args:
        path: The exported file.
        sha256: SHA-256 of its bytes, hexadecimal.
    """
    found = find_verification(path, sha256=sha256)
    return found is not None and found.passed
