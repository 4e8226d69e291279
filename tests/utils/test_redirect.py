"""`edgeemo.utils.redirect`: nothing of a library reaches the screen."""

from __future__ import annotations

import logging
import os
import sys

from edgeemo.utils.redirect import silence


def test_every_way_to_the_screen_is_closed_and_opened_again(capfd):
    with silence():
        print("stream")
        print("stream", file=sys.stderr)
        os.write(1, b"descriptor\n")
        os.write(2, b"descriptor\n")
    print("after")
    assert capfd.readouterr() == ("after\n", "")


def test_no_handler_is_left_on_the_root_logger(monkeypatch):
    monkeypatch.setattr(logging.root, "handlers", [])
    with silence():
        logging.warning("installs one")
        assert logging.root.handlers
    assert logging.root.handlers == []


def test_handlers_of_the_caller_hear_nothing_until_it_is_over(caplog):
    with silence():
        logging.getLogger("converter").error("inside")
    logging.getLogger("converter").error("outside")
    assert [record.message for record in caplog.records] == ["outside"]
