"""The start without Typer reads a command line as Typer does, or leaves it to Typer."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import typer
from PIL import Image

from edgeemo.cli import plain, typer_command
from edgeemo.cli.app import app
from edgeemo.cli.command import CommandFunction
from edgeemo.errors import EdgeEmoError

from .test_every_option import REACHED

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
LINES = [line for line, _ in REACHED if not line.startswith("data ")]
NOT_PLAIN = [
    "", "-h", "predict", "predict -h", "predict -q face.jpg", "predict face.jpg --verbose",
    "predict face.jpg --model", "predict face.jpg --model -", "predict --workers 0 face.jpg",
    "predict --format xml face.jpg", "predict --jsom face.jpg", "predict face.jpg --json=yes",
    "predict -- face.jpg", "info a b", "predicct face.jpg",
    "info --threads 2", "data check faces", "export happy-sad --client", "models --default",
]  # fmt: skip


def _find(name: str):
    return plain._find_command(name)


@pytest.mark.parametrize("line", LINES)
def test_a_line_is_read_as_typer_reads_it(line, monkeypatch):
    name, *words = line.split()
    read = []
    monkeypatch.setattr(typer_command, "call_function", lambda _, given, **__: read.append(given))
    app(line.split(), prog_name="edgeemo", standalone_mode=False)
    given = plain.read_words(_find(name), words)
    left = "--client" in words or any(word[1:2].isdigit() for word in words if word[0] == "-")
    assert given == (None if left else read[0])


@pytest.mark.parametrize("line", NOT_PLAIN)
def test_what_is_out_of_order_is_left_to_typer(line, capsys):
    assert plain.run_plain(line.split()) is None
    assert capsys.readouterr() == ("", "")


def test_completion_is_left_to_typer(monkeypatch):
    monkeypatch.setenv("_EDGEEMO_COMPLETE", "complete_bash")
    assert plain.run_plain(["--version"]) is None


def test_the_exit_status_of_a_command_is_returned(monkeypatch):
    def gives(error):
        monkeypatch.setattr(plain, "read_words", lambda command, words: object())
        failing = CommandFunction(lambda _: (_ for _ in ()).throw(error), ())
        monkeypatch.setattr(plain, "_find_command", lambda name: failing)
        return plain.run_plain(["info"])

    assert gives(typer.Exit(3)) == 3
    assert gives(typer.BadParameter("--a excludes --b")) is None
    with pytest.raises(EdgeEmoError, match="internal error"):
        gives(KeyError("x"))


def test_an_option_is_also_given_with_an_equals_sign():
    command = _find("predict")
    words = ["face.jpg", f"--model={GOLDEN}", "--format=csv", "--no-faces"]
    given = plain.read_words(command, words)
    assert (given.images, given.model, given.faces) == (("face.jpg",), GOLDEN, False)


@pytest.mark.parametrize(
    "words", [["predict", "face.png", "--model", GOLDEN / "int8.tflite"], ["info"], ["--version"]]
)
def test_the_first_commands_do_not_import_typer(words, tmp_path):
    Image.new("L", (40, 40)).save(tmp_path / "face.png")
    program = (
        "import sys; from edgeemo.__main__ import main\n"
        "try: main()\n"
        "finally: print('and', *{'typer', 'pydantic', 'rich'} & set(sys.modules), file=sys.stderr)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program, *map(str, words)],
        capture_output=True, text=True, check=True, cwd=tmp_path,
    )  # fmt: skip
    assert ran.stdout
    assert ran.stderr.splitlines()[-1] == "and"
