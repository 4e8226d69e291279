"""The images in docker/: built where Docker runs, else checked as far as files can be."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet

REPOSITORY = Path(__file__).resolve().parents[2]
FILES = sorted((REPOSITORY / "docker").glob("*.Dockerfile"))
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["project"]
IMAGES = pytest.mark.parametrize("file", FILES, ids=lambda path: path.stem)


def _instructions(file: Path) -> list[tuple[str, str]]:
    """The instructions of a Dockerfile with their arguments, comments and line ends removed."""
    lines = [line for line in file.read_text("utf-8").splitlines() if not line.startswith("#")]
    text = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [tuple(line.split(maxsplit=1)) for line in text.splitlines() if line.strip()]


def _copied(file: Path) -> list[str]:
    """The files and folders of the repository that it copies."""
    copies = [rest.split() for name, rest in _instructions(file) if name == "COPY"]
    return [source for *sources, _ in copies for source in sources if "--from" not in sources[0]]


def _is_sent(path: str) -> bool:
    """Whether .dockerignore lets Docker see a path; its last line that fits decides."""
    sent = True
    for line in (REPOSITORY / ".dockerignore").read_text("utf-8").splitlines():
        pattern = line.lstrip("!")
        fits = fnmatch(path, pattern) or path.startswith(f"{pattern}/")
        if line and not line.startswith("#") and fits:
            sent = line.startswith("!")
    return sent


def test_there_are_two():
    assert [file.stem for file in FILES] == ["device", "workstation"]


@IMAGES
def test_what_is_copied_is_there_and_sent(file):
    copied = _copied(file)
    assert "edgeemo" in copied
    for name in copied:
        assert (REPOSITORY / name).exists(), name
        assert _is_sent(name), name


def test_nothing_private_is_sent():
    for path in (".git", ".venv", "data/faces", "models/mine", "models/mine/model.keras", "tests"):
        assert not _is_sent(path), path


@IMAGES
def test_the_extras_exist_and_versions_are_pinned(file):
    (install,) = re.findall(r"pip install .*", "\n".join(rest for _, rest in _instructions(file)))
    (extras,) = re.findall(r"'\.\[(.+)]'", install)
    assert set(extras.split(",")) <= PROJECT["optional-dependencies"].keys()
    assert ("train" in extras) == (file.stem == "workstation")
    assert "--constraint constraints.txt" in install
    assert "--no-cache-dir" in install


@IMAGES
def test_it_is_slim_and_of_a_supported_python_for_every_processor(file):
    instructions = _instructions(file)
    (version,) = [rest.removeprefix("PYTHON=") for name, rest in instructions if name == "ARG"]
    assert f"{version}.0" in SpecifierSet(PROJECT["requires-python"])
    bases = [rest.split(" AS ")[0] for name, rest in instructions if name == "FROM"]
    assert bases == ["python:${PYTHON}-slim-bookworm"] * 2
    assert "--platform" not in file.read_text("utf-8").partition("ARG")[2]


@IMAGES
def test_nothing_runs_as_root(file):
    names = [name for name, _ in _instructions(file)]
    last = names[len(names) - names[::-1].index("FROM") :]
    assert dict(_instructions(file))["USER"] == "1000"
    assert last.index("RUN") < last.index("USER") < last.index("ENTRYPOINT")
    assert json.loads(dict(_instructions(file))["ENTRYPOINT"]) == ["edgeemo"]


@IMAGES
def test_hadolint_finds_nothing(file):
    hadolint = shutil.which("hadolint", path=str(Path(sys.executable).parent)) or shutil.which(
        "hadolint"
    )
    if hadolint is None:
        pytest.skip("hadolint is not installed")
    shown = subprocess.run([hadolint, file], capture_output=True, text=True, check=False)
    assert (shown.returncode, shown.stdout) == (0, "")


@IMAGES
@pytest.mark.slow
def test_what_is_copied_makes_the_whole_wheel(file, tmp_path):
    source = tmp_path / "source"
    for name in _copied(file):
        place = source / name
        place.parent.mkdir(parents=True, exist_ok=True)
        copy = shutil.copytree if (REPOSITORY / name).is_dir() else shutil.copy
        copy(REPOSITORY / name, place)
    built = subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", tmp_path, source],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert built.returncode == 0, built.stdout + built.stderr
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    for name in (
        "shipped/happy-sad/int8.tflite",
        "shipped/emotions/spec.json",
        "runtime/stream.py",
    ):
        assert f"edgeemo/{name}" in names


@cache
def _docker() -> str:
    """Return the Docker client, or an empty text where no daemon answers."""
    client = shutil.which("docker") or ""
    if client:
        told = subprocess.run([client, "info"], capture_output=True, timeout=60, check=False)
        client = "" if told.returncode else client
    return client


@IMAGES
@pytest.mark.slow
def test_the_image_is_built_and_predicts(file):
    docker = _docker()
    if not docker:
        pytest.skip("Docker does not run here")
    tag = f"edgeemo-test-{file.stem}"
    subprocess.run([docker, "build", "-q", "-f", file, "-t", tag, REPOSITORY], check=True)
    photo = REPOSITORY / "models" / "happy-sad" / "golden"
    shown = subprocess.run(
        [docker, "run", "--rm", "-v", f"{photo}:/work:ro", tag, "predict", "photo.jpg"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "happy" in shown.stdout
