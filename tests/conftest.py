"""Fixtures that the tests of more than one package use."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from dataclasses import dataclass, replace
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from PIL import Image

from edgeemo.dataset.synthetic import MOODS, draw_image
from edgeemo.model.container import seal, unseal
from edgeemo.model.spec import ModelSpec

if TYPE_CHECKING:
    from collections.abc import Callable

# A busy machine is not a failure.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")

_REPOSITORY = Path(__file__).resolve().parents[1]
_GOLDEN = _REPOSITORY / "tests" / "golden"
_LONGEST_FIRST = (
    "train/distributed/test_workers.py",
    "docs/test_readme.py",
    "export/test_backbones.py",
    "train/loop/test_fit.py",
    "device/test_cost.py",
    "test_end_to_end.py",
    "device/test_answers.py",
    "device/test_camera.py",
    "tune/test_tune.py",
    "cli/test_train_command.py",
)
"""Files that take 20 CPU seconds or more: one that is begun last would have the others wait."""


os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
"""The tests run in one process per core; two threads each would wait for each other."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest files."""
    rank = {_REPOSITORY / "tests" / name: place for place, name in enumerate(_LONGEST_FIRST)}
    items.sort(key=lambda item: rank.get(item.path, len(rank)))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Give the files that use one Ray cluster to one process, and else each file to some."""
    if config.getoption("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    class Scheduler(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            path = super()._split_scope(nodeid)
            return "ray" if _uses_cluster(path) else path

    return Scheduler(config, log)


@cache
def _uses_cluster(path: str) -> bool:
    text = (_REPOSITORY / path).read_text(encoding="utf-8")
    return re.search(r"def test_\w+\([^)]*\bcluster\b", text) is not None


@pytest.fixture(scope="session")
def _nodes():
    if find_spec("ray") is None:
        if os.environ.get("CI") == "true":
            pytest.fail("Ray is not installed")
        pytest.skip("Ray is not installed")
    from tests.nodes import open_nodes

    with open_nodes() as nodes:
        yield nodes


@pytest.fixture
def cluster(_nodes):
    """A Ray cluster of two nodes, `tests.nodes.Nodes`."""
    _nodes.repair()
    return _nodes


@pytest.fixture(scope="session", autouse=True)
def compile_once():
    """Compile the modules of bundles, and draw their images, once for all bundles of a process."""
    from edgeemo.bundle import build, modules
    from edgeemo.dataset.synthetic import golden

    with pytest.MonkeyPatch.context() as patch:
        for module in (build, modules):
            patch.setattr(module, "compile_module", cache(module.compile_module))
        patch.setattr(golden, "_draw_golden", cache(golden._draw_golden))
        yield


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Real images: the folder in EDGEEMO_DATA, else shared/data beside the checkout."""
    folder = Path(os.environ.get("EDGEEMO_DATA") or _REPOSITORY.parent / "shared" / "data")
    if not (folder / "fer2013_original").is_dir():
        pytest.skip("no real images: set EDGEEMO_DATA to a folder that holds fer2013_original/")
    return folder


@pytest.fixture(scope="session")
def spec48() -> ModelSpec:
    """The spec of a 48x48 grey happy/sad network."""
    return ModelSpec(labels=("happy", "sad"), height=48, width=48, channels=1)


@pytest.fixture(scope="session")
def hesitant():
    """Function (name, folder, min_confidence): a copy of a golden model that may be "not sure"."""

    def make(name: str, folder: Path, min_confidence: float) -> Path:
        golden = unseal(_GOLDEN / name)
        content = Path(golden.path).read_bytes()
        text = content.decode("latin-1").split('"model_bytes": ')[1]
        model = content[: int(text[: text.index(",")])]
        spec = replace(golden.spec, min_confidence=min_confidence)
        path = folder / name
        path.write_bytes(seal(model, spec, format=golden.format))
        return path

    return make


@pytest.fixture(scope="session")
def draw_photos():
    """Function (folder, count): "happy" and "sad" with so many photos each, of one drawn face at
    some place, and with an image ``none.png`` that has no face."""

    def draw(folder: Path, count: int) -> Path:
        for seed, mood in enumerate(MOODS):
            (folder / mood).mkdir(parents=True)
            sky = np.linspace(30, 220, 240).astype(np.uint8)[:: 1 - 2 * seed]
            wall = Image.fromarray(np.broadcast_to(sky, (180, 240))).convert("RGB")
            wall.save(folder / mood / "none.png")
            for number in range(count):
                rng = np.random.default_rng([seed + 6, number])
                photo = wall.copy()
                face = draw_image(rng, mood, size=int(rng.integers(110, 150)))
                corner = rng.integers(0, (240 - face.width, 180 - face.height))
                photo.paste(face, tuple(map(int, corner)))
                ending = "jpg" if number % 2 else "png"
                photo.save(folder / mood / f"{number:02}.{ending}", quality=95)
        return folder

    return draw


@pytest.fixture(scope="session")
def photos(draw_photos, tmp_path_factory) -> Path:
    """Two classes of 14 photos with a face and one without; not to be changed."""
    return draw_photos(tmp_path_factory.mktemp("photos") / "photos", 14)


@pytest.fixture(scope="session")
def bucket_server():
    """A server of buckets for the whole session, which has none; see `buckets`."""
    from .bucket_server import BucketServer

    with BucketServer() as server:
        yield server


@pytest.fixture
def buckets(bucket_server, monkeypatch):
    """A server that addresses in buckets lead to; its `objects` are empty."""
    from edgeemo.bulk import bucket

    pytest.importorskip("pyarrow")
    for name in ("AWS_ENDPOINT_URL", "STORAGE_EMULATOR_HOST"):
        monkeypatch.setenv(name, bucket_server.url)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    bucket_server.objects.clear()
    bucket_server.requests.clear()
    bucket._open.cache_clear()
    yield bucket_server
    bucket_server.delay_s = 0.0


@dataclass(frozen=True)
class Shown:
    """What a command left behind."""

    status: int
    out: str
    err: str


@pytest.fixture
def edgeemo(monkeypatch, capfd) -> Callable[..., Shown]:
    """``edgeemo("predict", "face.jpg")`` in this process → exit status, output, errors."""
    from edgeemo.cli.start import main

    monkeypatch.delenv("COLUMNS", raising=False)  # tables are as in a pipe

    def run(*words: object) -> Shown:
        monkeypatch.setattr(sys, "argv", ["edgeemo", *map(str, words)])
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        shown = capfd.readouterr()
        assert "Traceback" not in shown.err
        return Shown(int(ended.value.code or 0), shown.out, shown.err)

    return run


@pytest.fixture
def uncounted(monkeypatch):
    """Processes in which `make coverage` counts nothing: it writes files and takes memory."""
    monkeypatch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)


@pytest.fixture
def quick_bench(monkeypatch):
    """Two short rounds of real workers instead of six or more; for intervals that is too few."""
    from edgeemo.bench import measure

    monkeypatch.setattr(measure, "MIN_ROUNDS", 2)
    monkeypatch.setattr(measure, "MAX_ROUNDS", 2)
    monkeypatch.setattr(measure, "_RUNS", 20)


@pytest.fixture
def quick_auto(monkeypatch):
    """Four epochs of mode auto instead of forty."""
    from dataclasses import replace

    from edgeemo.train import auto

    for name in ("_SAME_CLASSES", "_OTHER_CLASSES", "_FROM_RANDOM"):
        plan = replace(getattr(auto, name), frozen_epochs=1, epochs=4)
        monkeypatch.setattr(auto, name, plan)


@pytest.fixture(scope="session")
def start_process():
    """Function (command, **options): a `subprocess.Popen` that SIGINT reaches.

    A background job of a shell ignores SIGINT, and so does every process that it starts.
    """

    def start(command, **options) -> subprocess.Popen:
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            return subprocess.Popen(command, **options)
        finally:
            signal.signal(signal.SIGINT, before)

    return start


@pytest.fixture(scope="session")
def signing_keys(tmp_path_factory) -> Path:
    """A folder with two pairs of keys: mine.pem, mine.pub, other.pem, other.pub."""
    from cryptography.hazmat.primitives import serialization as form
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    folder = tmp_path_factory.mktemp("keys")
    for name in ("mine", "other"):
        key = Ed25519PrivateKey.generate()
        private = key.private_bytes(
            form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption()
        )
        public = key.public_key().public_bytes(
            form.Encoding.PEM, form.PublicFormat.SubjectPublicKeyInfo
        )
        (folder / f"{name}.pem").write_bytes(private)
        (folder / f"{name}.pub").write_bytes(public)
    return folder
