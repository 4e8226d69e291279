"""Completion as the shells ask for it, in this process, and by bash and zsh themselves."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def _name(monkeypatch):
    """Let the program be called "edgeemo", not "python -m pytest"."""
    monkeypatch.setattr(sys.modules["__main__"], "__package__", "", raising=False)


TYPED = [
    ("tr", ["train"]),
    ("-q tr", ["train"]),
    ("train --aug", ["--augment"]),
    ("train --augment l", ["light"]),
    ("train --augment ", ["none", "light", "strong", "camera"]),
    ("train --metrics auc,pre", ["auc,precision"]),
    ("predict --format ", ["table", "jsonl", "csv"]),
    ("predict --qu", ["--quiet"]),
    ("data cr", ["crop"]),
    ("live --format ", ["text", "jsonl", "csv"]),
    ("data crop --face-detector c", ["cascade"]),
]
PATHS = ["train --data ", "predict fac", "info ", "export --out models/"]
"""Places of a path, for which the shell completes file names itself."""


@pytest.mark.parametrize(("typed", "offered"), TYPED)
def test_bash(edgeemo, monkeypatch, typed, offered):
    monkeypatch.setenv("_EDGEEMO_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", f"edgeemo {typed}")
    monkeypatch.setenv("COMP_CWORD", str(len(typed.split(" "))))
    shown = edgeemo()
    assert (shown.status, shown.out.split(), shown.err) == (0, offered, "")


@pytest.mark.parametrize(("typed", "offered"), TYPED)
def test_zsh(edgeemo, monkeypatch, typed, offered):
    monkeypatch.setenv("_EDGEEMO_COMPLETE", "complete_zsh")
    monkeypatch.setenv("_TYPER_COMPLETE_ARGS", f"edgeemo {typed}")
    shown = edgeemo()
    assert shown.status == 0
    assert [line.partition(":")[0].strip("\"'") for line in _list_zsh(shown.out)] == offered


def _list_zsh(out):
    return out.strip().removeprefix("_arguments '*: :((").removesuffix("))'").splitlines()


@pytest.mark.parametrize("typed", PATHS)
def test_paths_are_left_to_the_shell(edgeemo, monkeypatch, typed):
    monkeypatch.setenv("_TYPER_COMPLETE_ARGS", f"edgeemo {typed}")
    monkeypatch.setenv("_EDGEEMO_COMPLETE", "complete_zsh")
    assert edgeemo().out == "_files\n"
    monkeypatch.setenv("_EDGEEMO_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", f"edgeemo {typed}")
    monkeypatch.setenv("COMP_CWORD", str(len(typed.split(" "))))
    assert edgeemo().out.strip() == ""


@pytest.fixture
def command(tmp_path, monkeypatch):
    """An ``edgeemo`` on the path, and a home of its own."""
    program = tmp_path / "bin" / "edgeemo"
    program.parent.mkdir()
    program.write_text(f"#!{sys.executable}\nfrom edgeemo.cli.start import main\nmain()\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def _install(monkeypatch, edgeemo, shell):
    monkeypatch.setattr("shellingham.detect_shell", lambda *_: (shell, f"/bin/{shell}"))
    shown = edgeemo("--install-completion")
    assert shown.status == 0
    assert f"{shell} completion installed in" in shown.out


def test_bash_itself(edgeemo, command, monkeypatch):
    _install(monkeypatch, edgeemo, "bash")
    script = (
        "source ~/.bashrc; complete -p edgeemo; "
        "COMP_WORDS=(edgeemo data cl); COMP_CWORD=2; _edgeemo_completion edgeemo; "
        'echo "${COMPREPLY[@]}"'
    )
    done = subprocess.run(
        ["bash", "--norc", "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == [
        "complete -o default -F _edgeemo_completion edgeemo",
        "clean",
    ]


@pytest.mark.skipif(shutil.which("zsh") is None, reason="zsh is not installed")
def test_zsh_itself(edgeemo, command, monkeypatch):
    Path(command, ".zshrc").touch()
    _install(monkeypatch, edgeemo, "zsh")
    script = (
        "source ~/.zshrc; print $_comps[edgeemo]; source ~/.zfunc/_edgeemo; "
        "_arguments() { print -r -- $1 }; "
        "words=(edgeemo data cl); CURRENT=3; _edgeemo_completion"
    )
    done = subprocess.run(["zsh", "-f", "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[0] == "_edgeemo"
    assert '"clean":' in done.stdout
