"""Fixtures of live runs."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def edgeemo_process(tmp_path, start_process) -> Callable[..., subprocess.Popen[str]]:
    """Function (words) that starts ``edgeemo``, which is killed at the end of the test."""
    processes = []

    def start(*words: object, **options) -> subprocess.Popen[str]:
        options = {
            "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "cwd": tmp_path,
            **options,
        }  # fmt: skip
        words = [sys.executable, "-m", "edgeemo", *map(str, words)]
        processes.append(start_process(words, **options))
        return processes[-1]

    yield start
    for process in processes:
        process.kill()
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream is not None:
                stream.close()
        process.wait()
