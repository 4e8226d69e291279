"""What the documents say is what the program does."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

REPOSITORY = Path(__file__).resolve().parents[2]
FOLDERS = ("*.md", "docs/**/*.md", "models/*.md", "models/happy-sad/*.md", "data/*.md")
OPTIONS_OF_OTHERS = {
    *("--no-isolation", "--group", "--no-deps"),  # build and pip
    *("--tool", "--cache-sim"),  # valgrind
    *("--bind", "--directory"),  # http.server
    "--data-binary",  # curl
    "--recursive",  # aws and gcloud
    "--biz",  # MNN's --bizCode
    *("--rm", "--user", "--platform", "--device", "--build-arg"),  # Docker
    "--input",  # the begin of an option of onnxruntime
    *("--render", "--hours"),  # benchmarks/reliability
    *(
        "--address",
        "--num-cpus",
        "--num-gpus",
        "--object-store-memory",
        "--block",
        "--generate",
    ),  # Ray
    *("--nodes", "--ntasks", "--ntasks-per-node", "--cpus-per-task", "--gpus-per-node"),  # SLURM
    *("--requeue", "--array"),  # SLURM
    *("--pin", "--label"),  # examples/gpio_led.py
    *("--average", "--spare"),  # names that the changelog says are gone
}
_OPTION = re.compile(r"(?<![\w-])--[a-z][a-z0-9-]+")
PAGES = sorted(page for pattern in FOLDERS for page in REPOSITORY.glob(pattern))


def test_the_licence_of_every_dependency_is_listed():
    place = REPOSITORY / "docs" / "make_licences.py"
    spec = importlib.util.spec_from_file_location("make_licences", place)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    rows = re.findall(r"^\| (\S+) \|", module.TARGET.read_text(encoding="utf-8"), re.MULTILINE)
    listed = {canonicalize_name(name) for name in rows}
    needed = module.find_origins().keys()
    assert len(needed) > 50
    assert needed <= listed, "run 'make docs'"


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


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_options_that_are_named_exist(page):
    named = set(_OPTION.findall(page.read_text(encoding="utf-8")))
    assert named - _options() - OPTIONS_OF_OTHERS == set()


@cache
def _options() -> set[str]:
    """The options of the commands, of a bundle and of the scripts."""
    found = set(_OPTION.findall((REPOSITORY / "docs" / "cli.md").read_text(encoding="utf-8")))
    for folder in ("benchmarks", "emulation", "models", "edgeemo/bundle", "edgeemo/runtime"):
        for path in (REPOSITORY / folder).rglob("*.py"):
            found |= set(re.findall(r'"(--[a-z][a-z0-9-]+)"', path.read_text(encoding="utf-8")))
    return found


def test_every_package_is_in_the_architecture():
    page = (REPOSITORY / "docs" / "architecture.md").read_text(encoding="utf-8")
    entries = [path for path in (REPOSITORY / "edgeemo").iterdir() if path.name[0] not in "_."]
    packages = {path.stem for path in entries if path.suffix == ".py" or path.is_dir()}
    assert [package for package in sorted(packages) if f"`{package}`" not in page] == []
