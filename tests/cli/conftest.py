"""Run the command line in this process, as a person would see it."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from edgeemo.cli.app import main

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class Shown:
    """What a command left behind."""

    status: int
    out: str
    err: str


@pytest.fixture
def edgeemo(monkeypatch, capfd) -> Callable[..., Shown]:
    """``edgeemo("predict", "face.jpg")`` → exit status, standard output, standard error."""

    def run(*words: object) -> Shown:
        monkeypatch.setattr(sys, "argv", ["edgeemo", *map(str, words)])
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        shown = capfd.readouterr()
        assert "Traceback" not in shown.err
        return Shown(int(ended.value.code or 0), shown.out, shown.err)

    return run
