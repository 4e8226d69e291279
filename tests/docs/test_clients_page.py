"""docs/clients.md shows the programs that benchmarks/clients.py and the tests run."""

from __future__ import annotations

from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
EXAMPLES = REPOSITORY / "examples"
PROGRAMS = [
    *(path for path in sorted((EXAMPLES / "clients").iterdir()) if path.is_file()),
    *(EXAMPLES / "web" / name for name in ("litert.js", "onnxruntime.js")),
]


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.name)
def test_a_program_is_shown_as_it_is(program):
    page = (REPOSITORY / "docs" / "clients.md").read_text(encoding="utf-8")
    assert f"\n{program.read_text(encoding='utf-8')}```\n" in page, f"copy {program} into the page"
