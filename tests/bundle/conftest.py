"""A bundle of the tiny golden model, made once, and how to run it as a device would."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from edgeemo.bundle import Bundle, make_bundle

if TYPE_CHECKING:
    from collections.abc import Callable

GOLDEN = Path(__file__).resolve().parents[1] / "golden"


@dataclass(frozen=True)
class Ran:
    """What a run of a bundle left behind."""

    status: int
    out: str
    err: str


@pytest.fixture(scope="session")
def int8(tmp_path_factory) -> Bundle:
    """The bundle of int8.tflite, which nobody has verified."""
    return make_bundle(GOLDEN / "int8.tflite", tmp_path_factory.mktemp("int8") / "tiny.pyz")


@pytest.fixture
def copied(int8, tmp_path) -> Path:
    """A copy of that bundle to do harm to."""
    return Path(shutil.copy(int8.path, tmp_path / "tiny.pyz"))


@pytest.fixture(scope="session")
def device() -> Callable[..., Ran]:
    """``device("tiny.pyz", "selftest")`` → exit status, standard output, standard error."""

    def run(*words: object, python: tuple[str, ...] = (), **options) -> Ran:
        command = [sys.executable, *python, *map(str, words)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
        return Ran(done.returncode, done.stdout, done.stderr)

    return run
