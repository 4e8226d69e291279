"""The page of a review in Chromium, with its keys."""

from __future__ import annotations

from threading import Thread

import pytest

from edgeemo.dataset.ingest.decisions import read_decisions
from edgeemo.dataset.review import ReviewServer

from ...chromium import CHROMIUM, Browser

pytestmark = pytest.mark.skipif(not CHROMIUM, reason="no Chromium")


@pytest.fixture
def browser(tmp_path):
    made = Browser(tmp_path / "profile")
    yield made
    made.close()


def shown(count):
    return f"document.getElementById('count').textContent === '{count} of 4 decided'"


def test_keys_decide_undo_and_finish(begin, browser, tmp_path):
    server = ReviewServer(begin())
    thread = Thread(target=server.serve)
    thread.start()
    try:
        browser.open(server.url)
        browser.wait(shown(0))
        browser.wait("document.getElementById('image').naturalWidth > 0")
        for number, key in enumerate("koxu", 1):
            browser.press(key)
            browser.wait(shown(number if key != "u" else 2))
        browser.press("x")
        browser.wait(shown(3))
        browser.press("ArrowLeft")
        browser.press("K")
        browser.wait("document.getElementById('decision').textContent.startsWith('not')")
        browser.press("k")
        browser.wait(shown(4))
        browser.wait("!document.getElementById('end').hidden")
        browser.value("document.getElementById('finish').click()")
        thread.join(20)
        assert not thread.is_alive()
    finally:
        server.stop()
    assert [
        (row.path, row.decision, row.label) for row in read_decisions(tmp_path / "review.csv").rows
    ] == [
        ("happy/003.png", "keep", "happy"),
        ("sad/003.png", "relabel", "happy"),
        ("sad/long.png", "keep", "sad"),
        ("happy/near.png", "keep", "happy"),
    ]


def test_a_review_that_ended_is_told_and_nothing_seems_saved(begin, browser, tmp_path):
    server = ReviewServer(begin())
    thread = Thread(target=server.serve)
    thread.start()
    browser.open(server.url)
    browser.wait(shown(0))
    server.stop()
    thread.join(20)
    browser.press("k")
    browser.wait("document.getElementById('problem').textContent.startsWith('Not saved')")
    assert browser.value(shown(0))
    assert not (tmp_path / "review.csv").exists()
