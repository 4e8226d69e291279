"""examples/quickstart.ipynb, run from top to bottom.

Its code cells need nothing of Jupyter, so Python runs them: that saves fifty packages. The last
expression of a cell is shown, a picture as Jupyter asks for it.
"""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
NOTEBOOK = REPOSITORY / "examples" / "quickstart.ipynb"
_SHOW = "_shown = (\n{}\n)\nprint('picture', len(_shown._repr_png_()))"


def _cells(kind: str) -> list[str]:
    content = json.loads(NOTEBOOK.read_text("utf-8"))
    return ["".join(cell["source"]) for cell in content["cells"] if cell["cell_type"] == kind]


def _show_last(cell: str) -> str:
    """Return the cell, whose last expression prints the size of its picture."""
    *_, last = ast.parse(cell).body
    if not isinstance(last, ast.Expr) or "print(" in cell:
        return cell
    lines = cell.splitlines()
    shown = _SHOW.format("\n".join(lines[last.lineno - 1 : last.end_lineno]))
    return "\n".join([*lines[: last.lineno - 1], shown])


def test_it_is_kept_without_outputs():
    content = json.loads(NOTEBOOK.read_text("utf-8"))
    assert content["nbformat"] == 4
    cells = content["cells"]
    assert len({cell["id"] for cell in cells}) == len(cells)
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert [(cell["outputs"], cell["execution_count"]) for cell in code] == [([], None)] * len(code)


def test_it_shows_every_step():
    text = "\n".join(_cells("code"))
    for step in (
        "check_folder",
        ".train(",
        "plots",
        ".export(",
        ".verify(",
        ".predict(",
        ".bundle(",
    ):
        assert step in text
    assert not re.search(r"^[%!]", text, re.MULTILINE)


@pytest.mark.tensorflow
def test_it_runs_from_top_to_bottom(tmp_path):
    script = tmp_path / "cells.py"
    script.write_text("\n".join(map(_show_last, _cells("code"))), encoding="utf-8")
    ran = subprocess.run(
        [sys.executable, script], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    lines = ran.stdout.splitlines()
    assert sum(line.startswith("picture ") for line in lines) == 3
    assert "80 of 80 files are usable" in lines
    assert any(line.startswith("passed: 4 files agree") for line in lines)
    assert "PASSED" in lines[-1]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cells.py", "quickstart"]
