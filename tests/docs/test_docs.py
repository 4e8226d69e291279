"""What the documents say is what the program does."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
FOLDERS = ("*.md", "docs/**/*.md", "models/*.md", "models/happy-sad/*.md", "data/*.md")
PAGES = sorted(page for pattern in FOLDERS for page in REPOSITORY.glob(pattern))


def test_the_command_reference_is_current():
    shown = subprocess.run(
        [sys.executable, REPOSITORY / "docs" / "make_cli_reference.py", "--check"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert shown.returncode == 0, shown.stderr


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_files_that_are_named_exist(page):
    folders = "benchmarks|docs|edgeemo|emulation|examples|models|tests"
    names = re.findall(rf"\b(?:{folders})/[\w/.-]+\.(?:csv|md|py|sh)\b", page.read_text("utf-8"))
    assert [name for name in names if not (REPOSITORY / name).exists()] == []


def test_every_package_is_in_the_architecture():
    page = (REPOSITORY / "docs" / "architecture.md").read_text(encoding="utf-8")
    entries = [path for path in (REPOSITORY / "edgeemo").iterdir() if path.name[0] not in "_."]
    packages = {path.stem for path in entries if path.suffix == ".py" or path.is_dir()}
    assert [package for package in sorted(packages) if f"`{package}`" not in page] == []
