"""Other programs that read exported files, each in an environment of its own.

`make clients` makes the environments; CI does. A registry that lacks a package fails no test.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

_FOLDER = Path(__file__).resolve().parents[1] / ".cache" / "clients"


def find_environment(name: str) -> Path:
    """Return the folder of an environment; skip the test where it is not there."""
    if (_FOLDER / f"{name}.done").is_file():
        return _FOLDER / name
    failed = _FOLDER / f"{name}.failed"
    if failed.is_file():
        pytest.skip(f"{name} cannot be installed: {failed.read_text(encoding='utf-8')}")
    if os.environ.get("CI"):
        pytest.fail(f"CI did not run 'make clients', which makes {_FOLDER / name}")
    pytest.skip(f"no environment {name}: run 'make clients'")
