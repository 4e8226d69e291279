"""Whether an exported file is verified: what even the device asks of a model folder.

Standard library only, and of it only what starts fast.
"""

from __future__ import annotations

import json
import os

VERIFY_JSON = "verify.json"


def is_verified(path: str | os.PathLike[str], *, sha256: str) -> bool:
    """Whether ``verify.json`` beside an exported file says that these very bytes have passed.

    Args:
        path: The exported file.
        sha256: SHA-256 of its bytes, hexadecimal.
    """
    beside = os.path.join(os.path.dirname(os.fspath(path)), VERIFY_JSON)  # noqa: PTH118, PTH120
    try:
        with open(beside, "rb") as stream:  # noqa: PTH123 - pathlib is slow to import
            files = json.load(stream)["files"]
        return any(entry["sha256"] == sha256 and entry["passed"] is True for entry in files)
    except (OSError, ValueError, KeyError, TypeError):
        return False
