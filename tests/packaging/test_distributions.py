"""Wheel and source distribution: complete, and enough by themselves to predict with."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tarfile
import venv
import zipfile
from email import message_from_bytes
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

pytestmark = pytest.mark.slow

REPOSITORY = Path(__file__).resolve().parents[2]
HAPPY_SAD = REPOSITORY / "models" / "happy-sad"
PHOTO = HAPPY_SAD / "golden" / "photo.jpg"  # drawn, with two faces
DEPENDENCIES = ("numpy", "pillow", "ai-edge-litert", "typer")


def _tracked() -> list[str]:
    """Return the files of the checkout, or skip where it is none."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=REPOSITORY, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if listed.returncode:
        pytest.skip("not a git checkout")
    return [name for name in listed.stdout.splitlines() if (REPOSITORY / name).exists()]


def _copy_checkout(to: Path) -> Path:
    """Copy the checkout as a system without symbolic links has it: they are small text files."""
    for name in _tracked():
        source, target = REPOSITORY / name, to / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_symlink():
            target.write_text(str(source.readlink()))
        else:
            shutil.copy(source, target)
    return to


def _build(source: Path, out: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", *options, "--outdir", out, source],
        capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def checkout(tmp_path_factory) -> Path:
    return _copy_checkout(tmp_path_factory.mktemp("checkout"))


@pytest.fixture(scope="module")
def distributions(checkout, tmp_path_factory) -> dict[str, Path]:
    """The sdist, the wheel made of it and the wheel made of the checkout."""
    both, alone = tmp_path_factory.mktemp("both"), tmp_path_factory.mktemp("alone")
    for built in (_build(checkout, both), _build(checkout, alone, "--wheel")):
        assert built.returncode == 0, built.stdout + built.stderr
    (sdist,) = both.glob("*.tar.gz")
    (from_sdist,) = both.glob("*.whl")
    (from_checkout,) = alone.glob("*.whl")
    return {"sdist": sdist, "from sdist": from_sdist, "from checkout": from_checkout}


def _closure(names: tuple[str, ...]) -> set[str]:
    """Return the installed distributions that `names` need, themselves included."""
    found: set[str] = set()
    left = list(names)
    while left:
        name = left.pop().lower()
        if name in found:
            continue
        found.add(name)
        needed = map(Requirement, distribution(name).requires or [])
        left += [one.name for one in needed if not one.marker or one.marker.evaluate({"extra": ""})]
    return found


def _site(python: Path) -> Path:
    (packages,) = python.parents[1].glob("lib/python3*/site-packages")
    return packages


@pytest.fixture
def python(tmp_path) -> Path:
    """The Python of a virtual environment that holds what a wheel requires, and what builds one."""
    folder = tmp_path / "environment"
    venv.create(folder, symlinks=True)
    packages = _site(folder / "bin" / "python")
    for name in _closure((*DEPENDENCIES, "setuptools")):
        installed = distribution(name)
        for entry in {file.parts[0] for file in installed.files or [] if ".." not in file.parts}:
            if not (packages / entry).exists():
                (packages / entry).symlink_to(Path(str(installed.locate_file(entry))))
    return folder / "bin" / "python"


def _run(*command: object, cwd: Path) -> str:
    words = [str(word) for word in command]
    shown = subprocess.run(words, cwd=cwd, capture_output=True, text=True, check=False)
    assert shown.returncode == 0, shown.stdout + shown.stderr
    return shown.stdout


def _faces(printed: str) -> list[dict[str, object]]:
    return json.loads(printed)["faces"]


@pytest.mark.parametrize("origin", ["sdist", "from sdist", "from checkout"])
def test_an_empty_environment_predicts_with_what_is_installed(
    distributions, python, origin, tmp_path
):
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", python)
    install = (*pip, "install", "--no-index", "--no-build-isolation")  # nothing may be missing
    _run(*install, distributions[origin], cwd=tmp_path)
    shutil.copy(PHOTO, tmp_path / "photo.jpg")

    program = python.with_name("edgeemo")
    predict = ("predict", "photo.jpg", "--format", "jsonl")
    faces = _faces(_run(program, *predict, cwd=tmp_path))
    assert [face["label"] in ("happy", "sad", "neither") for face in faces] == [True, True]
    assert faces == _faces(_run(sys.executable, "-m", "edgeemo", *predict, cwd=tmp_path))
    assert "happy-sad" in _run(program, "info", "happy-sad", cwd=tmp_path)
    assert "predict" in _run(python, "-m", "edgeemo", "--help", cwd=tmp_path)


def test_both_wheels_hold_the_same_bytes(distributions):
    first, second = (_members(distributions[name]) for name in ("from sdist", "from checkout"))
    assert first == second


def _members(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_the_wheel_holds_the_shipped_model_and_every_licence(distributions):
    members = _members(distributions["from sdist"])
    models = HAPPY_SAD.parent
    for model in ("happy-sad", "emotions"):
        for path in (models / model).rglob("*"):
            name = f"edgeemo/shipped/{path.relative_to(models).as_posix()}"
            assert path.is_dir() or members[name] == path.read_bytes()
    weights = "weights/happy-neither-sad.keras"
    assert members[f"edgeemo/shipped/{weights}"] == (models / weights).read_bytes()
    licences = {name.split("/licenses/")[1] for name in members if "/licenses/" in name}
    assert licences == {"LICENSE", "edgeemo/imaging/faces/NOTICE"}
    assert "edgeemo/py.typed" in members


def test_the_sdist_holds_every_file_of_the_repository(distributions):
    with tarfile.open(distributions["sdist"]) as archive:
        held = {name.partition("/")[2] for name in archive.getnames()}
    assert set(_tracked()) - held == set()


def test_a_build_without_the_shipped_model_fails(checkout, tmp_path):
    copy = shutil.copytree(checkout, tmp_path / "copy")
    (copy / "models" / "happy-sad" / "int8.tflite").unlink()
    built = _build(copy, tmp_path / "out", "--wheel")
    assert built.returncode != 0
    assert "the shipped model is incomplete: models/happy-sad/int8.tflite missing" in built.stderr
    assert not list(tmp_path.glob("out/*.whl"))


def test_a_package_index_can_show_the_description(distributions):
    paths = list(distributions.values())[:2]
    _run(sys.executable, "-m", "twine", "check", "--strict", *paths, cwd=REPOSITORY)
    members = _members(distributions["from sdist"])
    (metadata,) = [content for name, content in members.items() if name.endswith("/METADATA")]
    description = str(message_from_bytes(metadata).get_payload())
    assert re.findall(r"\]\((?!\w+://)[^)]*\)", description) == []
