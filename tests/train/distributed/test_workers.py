"""Training in several processes. Two of the tests really start two workers on JAX."""

from __future__ import annotations

import csv
import os
import signal
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from edgeemo.dataset import ingest_folder
from edgeemo.errors import TrainingError, WorkerError
from edgeemo.model.keras import load_keras
from edgeemo.model.spec import ModelSpec
from edgeemo.train import train
from edgeemo.train.data.batches import make_dataset
from edgeemo.train.data.pipeline import Pixels, TrainingData
from edgeemo.train.distributed import Coordinator, Rank, assist, read_rank
from edgeemo.train.distributed.messages import find_free_port
from edgeemo.train.distributed.shard import Shard
from edgeemo.train.loop.checkpoint import Checkpoint
from edgeemo.train.loop.fit import fit
from edgeemo.train.networks.architectures import build
from edgeemo.train.networks.network import make_spec
from edgeemo.train.options.faces import build_ingest_options
from edgeemo.train.options.options import TrainOptions
from edgeemo.utils.progress import Silent

pytestmark = [
    pytest.mark.tensorflow,
    pytest.mark.skipif(find_spec("jax") is None, reason="JAX is not installed"),
]

HERE = Rank(workers=2, join_seconds=600)


@pytest.fixture(autouse=True)
def nowhere(monkeypatch):
    """No variable of a cluster, whatever this machine has."""
    for name in ("COORDINATOR", "WORKER", "JOIN_SECONDS"):
        monkeypatch.delenv(f"EDGEEMO_{name}", raising=False)
    for name in ("SLURM_PROCID", "JOB_COMPLETION_INDEX"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def port() -> int:
    return find_free_port()


def workers_of_this_process() -> dict[int, int]:
    """Process ids of the workers that run, by number."""
    found = {}
    for task in Path("/proc/self/task").iterdir():
        for child in (task / "children").read_text().split():
            words = Path(f"/proc/{child}/cmdline").read_bytes().decode().split("\0")
            if "edgeemo.train.distributed.worker" in words:
                found[int(Path(words[-3]).stem.removeprefix("job"))] = int(child)
    return found


def test_without_a_coordinator_all_workers_run_here():
    assert read_rank(3) == Rank(workers=3)
    assert read_rank(3).own_numbers == (0, 1, 2)


@pytest.mark.parametrize("name", ["EDGEEMO_WORKER", "SLURM_PROCID", "JOB_COMPLETION_INDEX"])
def test_a_cluster_says_which_worker_this_is(monkeypatch, name):
    monkeypatch.setenv("EDGEEMO_COORDINATOR", "node1:29500")
    monkeypatch.setenv("EDGEEMO_JOIN_SECONDS", "7")
    monkeypatch.setenv(name, "2")
    where = read_rank(3)
    assert (where.host, where.port, where.own_numbers, where.join_seconds) == (
        "node1",
        29500,
        (2,),
        7,
    )
    assert where.is_helper
    assert read_rank(1) == Rank(workers=1)


@pytest.mark.parametrize(
    ("variables", "text"),
    [
        ({"COORDINATOR": "node1"}, "it must be worker 0's HOST:PORT"),
        ({"COORDINATOR": "node1:0"}, "it must be worker 0's HOST:PORT"),
        ({"COORDINATOR": "node1:29500"}, "set EDGEEMO_WORKER to 0 to 1"),
        ({"COORDINATOR": "node1:29500", "WORKER": "2"}, "with --workers 2 it must be 0 to 1"),
        ({"JOIN_SECONDS": "soon"}, "not a number of seconds"),
    ],
)
def test_wrong_variables_are_one_clear_line(monkeypatch, variables, text):
    for name, value in variables.items():
        monkeypatch.setenv(f"EDGEEMO_{name}", value)
    with pytest.raises(TrainingError, match=text):
        read_rank(2)


@pytest.mark.parametrize("count", [1, 15, 16, 17, 31, 41])
@pytest.mark.parametrize(("workers", "devices"), [(2, 1), (3, 1), (2, 4), (20, 1)])
def test_the_shards_together_are_the_batches(spec32, count, workers, devices):
    rows = np.arange(count, dtype=np.uint8)[:, None, None, None] * np.ones((1, 32, 32, 1))
    pixels = Pixels(rows.astype(np.uint8), np.zeros(count, np.int64))
    shards = [
        Shard(number=number, workers=workers, devices=devices, batch_size=16)
        for number in range(workers)
    ]
    whole = make_dataset(pixels, spec=spec32, batch_size=16)
    parts = [make_dataset(pixels, spec=spec32, batch_size=16, shard=shard) for shard in shards]
    for (images, _), *own in zip(whole, *parts, strict=True):
        counts = {len(part[0]) for part in own}
        assert len(counts) == 1
        assert counts.pop() % devices == 0
        together = np.concatenate([part[0] for part in own])
        size = shards[0].sizes(count)[len(together)]
        np.testing.assert_array_equal(together[:size], images)


def test_a_worker_that_never_joins_is_named(port):
    where = Rank(workers=3, host="localhost", port=port, join_seconds=0.5)
    coordinator = Coordinator(where, options=TrainOptions(), data=Path(), progress=Silent())
    with (
        pytest.raises(WorkerError, match=r"workers 1, 2 have not joined within 0.5 s"),
        coordinator,
    ):
        pass


def test_a_coordinator_that_does_not_answer_is_named(port):
    where = Rank(workers=2, number=1, host="localhost", port=port, join_seconds=0.5)
    with pytest.raises(WorkerError, match=f"worker 0 .* does not answer at localhost:{port}"):
        assist(where, data=None, options=None, spec_of=make_spec, progress=Silent())


def meet(port, images, ours, *, samples=None, theirs=None):
    """What worker 0 and worker 1 say when they find that something is not alike."""
    here = Rank(workers=2, host="localhost", port=port, join_seconds=20)

    def lead():
        with Coordinator(here, options=ours, data=images, progress=Silent()) as coordinator:
            coordinator.agree(
                samples or ingest_folder(images, options=build_ingest_options(ours)).samples
            )

    there = replace(here, number=1)
    with ThreadPoolExecutor(2) as pool:
        jobs = (
            pool.submit(lead),
            pool.submit(
                assist,
                there,
                data=images,
                options=theirs or ours,
                spec_of=make_spec,
                progress=Silent(),
            ),
        )
        return [str(job.exception()) for job in jobs]


def test_other_images_on_another_machine_are_found(port, images, options):
    options = replace(options, workers=2)
    samples = ingest_folder(images, options=build_ingest_options(options)).samples[:-1]
    said = meet(port, images, options, samples=samples)
    count = len(samples)
    assert f"worker 1 (of 2, counted from 0) has other images than worker 0 ({count + 1}" in said[0]
    assert said[1] == said[0]


def test_other_options_on_another_machine_are_found(port, images, options):
    ours = replace(options, workers=2)
    said = meet(port, images, ours, theirs=replace(ours, epochs=9))
    assert "started otherwise: epochs 2 at worker 0, 9 here" in said[1]
    assert said[1] in said[0]


def test_two_workers_give_the_model_folder_and_losses_of_one(
    monkeypatch, port, images, trained, options, tmp_path
):
    options = replace(options, workers=2)
    monkeypatch.setenv("EDGEEMO_COORDINATOR", f"localhost:{port}")
    monkeypatch.setenv("EDGEEMO_WORKER", "0")
    monkeypatch.setenv("EDGEEMO_JOIN_SECONDS", "600")  # a busy machine is slow to start Python
    there = Rank(workers=2, number=1, host="localhost", port=port, join_seconds=600)
    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(
            assist, there, data=None, options=options, spec_of=make_spec, progress=Silent()
        )
        folder = train(images, tmp_path / "two", options=options).folder
        other.result(timeout=60)
    assert {path.name for path in folder.path.iterdir()} == {
        path.name for path in trained.path.iterdir()
    }
    np.testing.assert_allclose(losses(folder), losses(trained), atol=1e-4)
    for two, one in zip(weights(folder), weights(trained), strict=True):
        np.testing.assert_allclose(two, one, atol=1e-4)
    assert {path.name for path in tmp_path.iterdir()} == {"two"}
    assert not workers_of_this_process()


def losses(folder) -> list[list[float]]:
    with folder.file("history.csv").open(newline="") as stream:
        return [[float(row["loss"]), float(row["val_loss"])] for row in csv.DictReader(stream)]


def weights(folder):
    return load_keras(folder.file("model.keras")).get_weights()


class Killer:
    """A `Progress` that kills worker 1 within the second epoch."""

    def __init__(self, steps: int) -> None:
        self.left = steps + 1
        self.notes: list[str] = []

    def stage(self, name: str, *, total: int | None = None) -> None: ...

    def note(self, text: str) -> None:
        self.notes.append(text)

    def advance(self, steps: int = 1, *, detail: str = "") -> None:
        self.left -= steps
        if self.left == 0:
            os.kill(workers_of_this_process()[1], signal.SIGKILL)


def test_one_that_dies_ends_the_others_and_one_process_goes_on(tmp_path):
    spec = ModelSpec(labels=("a", "b", "c"), height=32, width=32, channels=1, activation="softmax")
    data = TrainingData(train=drawn(41, 1, spec), validation=drawn(17, 2, spec), spec=spec)
    options = TrainOptions(
        arch="cnn-bn-64",
        size=32,
        channels=1,
        epochs=60,
        batch_size=16,
        augment="light",
        class_weights=True,
        workers=2,
    )

    def network():
        return build("cnn-bn-64", input_shape=spec.input_shape, classes=3)

    checkpoint = Checkpoint(tmp_path / "model")
    checkpoint.start({}, [])
    with (
        pytest.raises(WorkerError) as caught,
        Coordinator(HERE, options=options, data=tmp_path, progress=Killer(3)) as coordinator,
    ):
        coordinator.fit(network, data, checkpoint=checkpoint)
    assert not workers_of_this_process()
    reached = checkpoint.read().history
    text = str(caught.value)
    assert text.startswith("worker 1 (of 2, counted from 0) ended (signal 9) in epoch ")
    assert text.endswith(f"the checkpoint of epoch {len(reached)} is kept: continue with --resume")
    assert "\n" not in text

    few = replace(options, epochs=len(reached) + 1)
    _, alone = fit(network, data, options=few)
    _, on = fit(network, data, options=few, checkpoint=checkpoint)
    for ours, theirs in zip(on.history, alone.history, strict=True):
        assert ours.loss == pytest.approx(theirs.loss, abs=1e-4)
        assert ours.val_loss == pytest.approx(theirs.val_loss, abs=1e-4)
        assert ours.accuracy == pytest.approx(theirs.accuracy, abs=0.05)


def drawn(count: int, seed: int, spec: ModelSpec) -> Pixels:
    """Noise whose brightness tells the class."""
    generator = np.random.default_rng(seed)
    truth = generator.integers(0, len(spec.labels), count)
    level = (70 + 60 * truth)[:, None, None, None]
    rows = np.clip(generator.normal(level, 60, (count, *spec.input_shape)), 0, 255)
    return Pixels(rows.astype(np.uint8), truth)
