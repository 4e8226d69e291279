"""The generated blocks of docs/reliability.md."""

from __future__ import annotations

import pytest

from benchmarks.reliability import run
from benchmarks.reliability.check import Check, check_counts
from benchmarks.reliability.parts import PARTS, Result
from benchmarks.reliability.table import build_block, replace_block


def test_the_page_shows_the_kept_results(tmp_path, monkeypatch):
    page = tmp_path / "reliability.md"
    page.write_text(run.PAGE.read_text())
    monkeypatch.setattr(run, "PAGE", page)
    run.render()
    assert page.read_text() == (run.RESULTS.parent / page.name).read_text(), "run --render"


def test_every_part_can_be_loaded():
    assert all(callable(part.load()) for part in PARTS.values())


def test_a_broken_promise_shows():
    check = check_counts("10 files: lost / found", [0, 1])
    assert check == Check(
        name="10 files: lost / found", measured="0 / 1", promise="0 / 0", kept=False
    )
    result = Result(checks=(check,), wall_s=61.4, cpu_s=1.2, machine="a machine")
    lines = build_block({"files": result}).splitlines()
    assert "| 10 files: lost / found | 0 / 1 | 0 / 0 | **no** |" in lines
    assert "| `files` | 61 | 1 |" in lines
    assert lines[-1] == "a machine"


def test_a_page_without_marks_is_refused():
    page = "a\n<!-- x: begin -->\nold\n<!-- x: end -->\nb\n"
    assert replace_block(page, "x", "new\n") == page.replace("old", "\nnew\n")
    with pytest.raises(ValueError, match="marks of y"):
        replace_block(page, "y", "new\n")
