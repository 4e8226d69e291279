"""The help of every command, the version, completion, and how little is imported for them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import MISSING

import pytest
import typer

from edgeemo import __version__
from edgeemo.cli.app import app


def _pages(command, name, parent=None):
    context = typer.Context(command, parent, info_name=name, **command.context_settings)
    yield context.command_path, command, context
    for below in getattr(command, "commands", ()):
        yield from _pages(command.get_command(context, below), below, context)


PAGES = {
    path: (command, context)
    for path, command, context in _pages(typer.main.get_command(app), "edgeemo")
}
COMMANDS = {path: command for path, (command, _) in PAGES.items() if hasattr(command, "declared")}


@pytest.mark.parametrize("path", PAGES)
def test_help_fits_80_columns_and_shows_no_types(path):
    _, context = PAGES[path]
    context.terminal_width = 80
    text = context.get_help()
    assert max(map(len, text.splitlines())) <= 80
    assert "[default: (" not in text
    assert not re.search(r"<\w+", text)
    assert "..." not in text.partition("Commands:")[2].partition("Examples")[0]


@pytest.mark.parametrize("path", COMMANDS)
def test_every_option_defines_itself_in_a_sentence(path):
    for each in COMMANDS[path].declared:
        assert re.match(r"[A-Z.].*\.$", each.option.help), each.name
        assert not each.option.help.startswith(("What ", "How many ", "Whether ")), each.name


@pytest.mark.parametrize("path", COMMANDS)
def test_every_default_is_a_value_that_may_be_given(path):
    for each in COMMANDS[path].declared:
        if each.default is not MISSING and each.default is not None:
            assert each.convert(each.default) == each.default, each.name


@pytest.mark.parametrize("flag", ["--version", "-V"])
def test_the_version(edgeemo, flag):
    shown = edgeemo(flag)
    assert (shown.status, shown.out, shown.err) == (0, f"{__version__}\n", "")


def test_options_stand_in_named_groups(edgeemo):
    shown = edgeemo("train", "--help").out
    headings = re.findall(r"^([A-Z]\w+):$", shown, re.MULTILINE)
    assert headings[:4] == ["Options", "Images", "Network", "Training"]
    assert "Faces" in headings


def _modules_after(*words):
    """The modules that a fresh interpreter has imported after a command."""
    program = (
        "import sys\n"
        "from edgeemo.cli.start import main\n"
        f"sys.argv = ['edgeemo', *{words!r}]\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print(*sys.modules, file=sys.stderr)"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    return set(run.stderr.split())


def test_help_imports_neither_numpy_nor_what_a_command_needs():
    modules = _modules_after("--help")
    assert "edgeemo.cli.commands.train" in modules
    assert modules.isdisjoint({"numpy", "PIL", "keras", "tensorflow", "rich"})
    assert "numpy" not in _modules_after("info", "--help")


def test_only_the_command_that_is_called_is_imported():
    modules = _modules_after("info", "--help")
    commands = {name for name in modules if name.startswith("edgeemo.cli.commands.")}
    assert commands == {"edgeemo.cli.commands.info"}


@pytest.mark.parametrize(
    "words",
    [
        ("train", "--help"),
        ("tune", "--help"),
        ("export", "--help"),
        ("train", "--epochs", "0"),
        ("train", "--augment", "lite"),
        ("tune", "--trials", "none"),
        ("predict", "face.jpg", "--threads", "0"),
    ],
)
def test_no_tensorflow_for_help_or_a_wrong_argument(words):
    assert _modules_after(*words).isdisjoint({"keras", "tensorflow", "optuna"})


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("tr", ["train"]),
        ("train --aug", ["--augment"]),
        ("train --augment l", ["light"]),
        ("train --metrics auc,pre", ["auc,precision"]),
        ("train --arch cnn-bn", ["cnn-bn-64"]),
        ("train --recipe f", ["filters-16-32-16", "focal", "filters-16-32-64"]),
        ("predict --face-detector ", ["blaze", "cascade", "yunet"]),
        ("data cr", ["crop"]),
    ],
)
def test_completion_in_bash(typed, offered):
    environment = {
        **os.environ,
        "_EDGEEMO_COMPLETE": "complete_bash",
        "COMP_WORDS": f"edgeemo {typed}",
        "COMP_CWORD": str(len(typed.split(" "))),
    }
    program = "import sys; sys.argv[0] = 'edgeemo'; from edgeemo.cli.start import main; main()"
    run = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    )
    assert run.stdout.split() == offered


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("trian",), "command 'trian' is unknown; did you mean 'train'? Choose from train, tune, "),
        (("foo",), "command 'foo' is unknown; choose from train, tune, "),
        (("data", "spilt"), "command 'spilt' is unknown; did you mean 'split'? Choose from check,"),
        (("train", "--epoch", "3"), "option '--epoch' is unknown; did you mean '--epochs'? (see "),
        (("train", "--foo"), "option '--foo' is unknown (see 'edgeemo train -h')"),
        (("info", "--jsn"), "option '--jsn' is unknown; did you mean '--json'? (see "),
        (("info", "--foo"), "option '--foo' is unknown; choose from --json, --quiet, "),
        (("train", "--data"), "option '--data' requires an argument"),
        (("train", "--data", ""), "--data must be a path, not ''"),
        (("data", "clean", "x"), "missing option '--out'"),
        (("predict",), "missing argument 'FILE|DIR|ADDRESS|-...'"),
    ],
)
def test_a_mistyped_name_is_wrong_usage(edgeemo, words, message):
    shown = edgeemo(*words)
    assert (shown.status, shown.out) == (2, "")
    assert shown.err.startswith(f"error: {message}")
    assert shown.err.count("\n") == 1
