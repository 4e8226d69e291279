"""What --quiet leaves out and --verbose adds."""

from __future__ import annotations

import os
import sys

import pytest

from edgeemo.cli.command import command
from edgeemo.cli.commands import recipes
from edgeemo.cli.output.console import be_quiet, is_quiet, note, say, warn
from edgeemo.cli.output.progress import progress
from edgeemo.cli.start import main
from edgeemo.errors import DatasetError
from edgeemo.utils.redirect import drop_output, show_output, shows_output, silence


@pytest.fixture
def fails(monkeypatch, capfd):
    """Function (error, words): exit status and standard error of a command that raises it."""

    def run(error, *words):
        def fail(given: recipes.RecipesArguments):
            os.write(2, b"a library says this\n")
            raise error

        monkeypatch.setattr(sys, "argv", ["edgeemo", *words])
        monkeypatch.setattr(recipes, "recipes", command()(fail))
        with pytest.raises(SystemExit) as ended:
            main()
        return ended.value.code, capfd.readouterr().err

    return run


@pytest.mark.parametrize("words", [("-v", "recipes"), ("recipes", "--verbose")])
def test_verbose_shows_where_an_error_comes_from(fails, words):
    status, err = fails(DatasetError("faces: no such folder"), *words)
    assert status == 1
    assert "Traceback (most recent call last)" in err
    assert err.splitlines()[-1] == "error: faces: no such folder"


def test_without_it_an_error_is_one_line(fails):
    status, err = fails(DatasetError("faces: no such folder"), "recipes")
    assert (status, err) == (1, "a library says this\nerror: faces: no such folder\n")


def test_a_fault_of_edgeemo_is_told_as_one(fails):
    status, err = fails(KeyError("arch"), "recipes")
    assert status == 1
    assert err.splitlines()[1:] == [
        "error: internal error (KeyError: 'arch'); please report it with the output of --verbose"
    ]
    status, err = fails(KeyError("arch"), "recipes", "-v")
    assert "Traceback (most recent call last)" in err
    assert err.splitlines()[-1].startswith("error: internal error (KeyError: 'arch')")


def test_quiet_ends_with_the_command(fails):
    fails(DatasetError("x"), "-q", "recipes")
    fails(DatasetError("x"), "-v", "recipes")
    assert not is_quiet()
    assert not shows_output()


def test_quiet_prints_warnings_but_no_notes_and_no_progress(capfd):
    with be_quiet(True), progress() as shown:
        note("report: report.html")
        warn("few images")
        say("error: nothing there")
        shown.stage("Training", total=3)
        shown.advance(detail="epoch 1")
        shown.note("Resuming models/mine")
        shown.note("warning: few calibration images")
    assert capfd.readouterr().err.splitlines() == [
        "warning: few images",
        "error: nothing there",
        "warning: few calibration images",
    ]


@pytest.mark.parametrize("drop", [drop_output, silence])
def test_verbose_shows_what_libraries_print(capfd, drop):
    with drop():
        os.write(2, b"dropped\n")
    with show_output(), drop():
        os.write(2, b"shown\n")
        print("on both")
    with drop():
        os.write(1, b"dropped\n")
    shown = capfd.readouterr()
    assert (shown.out, shown.err) == ("on both\n", "shown\n")
