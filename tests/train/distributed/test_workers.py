"""Training on Ray. The tests marked `ray` really train, on two nodes of this machine."""

from __future__ import annotations

import csv
import tempfile
from dataclasses import replace
from importlib.util import find_spec

import numpy as np
import pytest

from edgeemo.errors import TrainingError
from edgeemo.model.keras import import_keras, load_keras
from edgeemo.model.spec import ModelSpec
from edgeemo.train import train
from edgeemo.train.data.batches import make_dataset, make_training_dataset
from edgeemo.train.data.mixup import Mixup
from edgeemo.train.data.pipeline import Pixels, TrainingData
from edgeemo.train.data.shard import Shard
from edgeemo.train.distributed import fit_distributed
from edgeemo.train.loop.checkpoint import Checkpoint
from edgeemo.train.loop.fit import fit
from edgeemo.train.loop.teachers import Teacher
from edgeemo.train.networks.architectures import build
from edgeemo.train.options.options import TrainOptions
from edgeemo.utils.progress import Silent

pytestmark = pytest.mark.tensorflow


def on_ray(test):
    """Mark a test that trains on Ray."""
    skip = pytest.mark.skipif(
        not (find_spec("ray") and find_spec("jax")), reason="Ray or JAX is not installed"
    )
    return pytest.mark.ray(skip(test))


@pytest.fixture(scope="module")
def cluster():
    """Two nodes with one CPU each, as two machines have: processes, stores and ports of their own.

    Its `address` is what --cluster takes, and `lose_node` kills the second one.
    """
    with (
        tempfile.TemporaryDirectory(prefix="ray-", ignore_cleanup_errors=True) as folder,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv("RAY_TMPDIR", folder)
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("RAY_TRAIN_WORKER_GROUP_START_TIMEOUT_S", "8")
        from ray.cluster_utils import Cluster

        node = {"num_cpus": 1, "object_store_memory": 100_000_000, "include_dashboard": False}
        soon = {"health_check_period_ms": 1000, "health_check_failure_threshold": 2}
        made = Cluster(initialize_head=True, head_node_args={**node, "_system_config": soon})
        second = made.add_node(**node)
        made.lose_node = lambda: made.remove_node(second, allow_graceful=False)
        yield made
        made.shutdown()


@pytest.mark.parametrize("count", [1, 15, 16, 17, 31, 41])
@pytest.mark.parametrize(("workers", "devices"), [(2, 1), (3, 1), (2, 4), (20, 1)])
def test_the_shards_together_are_the_batches(spec32, count, workers, devices):
    rows = np.arange(count, dtype=np.uint8)[:, None, None, None] * np.ones((1, 32, 32, 1))
    pixels = Pixels(rows.astype(np.uint8), np.zeros(count, np.int64))
    shards = [
        Shard(rank=rank, workers=workers, devices=devices, batch_size=16) for rank in range(workers)
    ]
    whole = make_dataset(pixels, spec=spec32, batch_size=16)
    parts = [make_dataset(pixels, spec=spec32, batch_size=16, shard=shard) for shard in shards]
    for (images, _), *own in zip(whole, *parts, strict=True):
        counts = {len(part[0]) for part in own}
        assert len(counts) == 1
        assert counts.pop() % devices == 0
        together = np.concatenate([part[0] for part in own])
        size = shards[0].map_sizes(count)[len(together)]
        np.testing.assert_array_equal(together[:size], images)


def test_the_shards_of_a_mixed_batch_are_its_parts(noise, spec32):
    how = {"spec": spec32, "batch_size": 16, "seed": 3, "epochs": range(1)}
    pixels, mixup = noise(21), Mixup(alpha=0.3)
    shards = [Shard(rank=rank, workers=2, batch_size=16) for rank in range(2)]
    whole = make_training_dataset(pixels, mixup=mixup, **how)
    parts = [make_training_dataset(pixels, mixup=mixup, shard=shard, **how) for shard in shards]
    for (images, truth, shares), first, second in zip(whole, *parts, strict=True):
        size = len(images)
        for want, *own in (
            (images, first[0], second[0]),
            (truth[1], first[1][1], second[1][1]),
            (shares[0], first[2][0], second[2][0]),
        ):
            np.testing.assert_array_equal(np.concatenate(own)[:size], want)


@pytest.mark.parametrize(
    ("given", "bounds"), [(1, (1, 1)), (3, (3, 3)), ("2..8", (2, 8)), ("4..4", (4, 4))]
)
def test_workers_are_a_number_or_a_range(given, bounds):
    assert TrainOptions(workers=given).worker_range == bounds


@pytest.mark.parametrize("given", [0, "0..2", "3..2", "2..", "..3", "two", "2..70000"])
def test_wrong_workers_are_refused(given):
    with pytest.raises(TrainingError, match="workers must be"):
        TrainOptions(workers=given)


@on_ray
def test_two_nodes_give_the_model_folder_and_losses_of_one_process(
    cluster, images, options, tmp_path
):
    options = replace(
        options, arch="cnn-bn-64", optimizer="sgd", lr=1e-3, augment="light", class_weights=True
    )
    trained = train(images, tmp_path / "one", options=options).folder
    options = replace(options, workers=2, cluster=cluster.address)
    folder = train(images, tmp_path / "two", options=options).folder
    assert {path.name for path in folder.path.iterdir()} == {
        path.name for path in trained.path.iterdir()
    }
    np.testing.assert_allclose(losses(folder), losses(trained), atol=1e-4)
    for two, one in zip(weights(folder), weights(trained), strict=True):
        np.testing.assert_allclose(two, one, atol=1e-4)
    assert {path.name for path in tmp_path.iterdir()} == {"one", "two"}


def losses(folder) -> list[list[float]]:
    with folder.file("history.csv").open(newline="") as stream:
        return [[float(row["loss"]), float(row["val_loss"])] for row in csv.DictReader(stream)]


def weights(folder):
    return load_keras(folder.file("model.keras")).get_weights()


class Loser(Silent):
    """A `Progress` that loses a node in the middle of the third epoch."""

    def __init__(self, cluster, steps: int) -> None:
        self.cluster, self.left = cluster, 2 * steps + 1
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)

    def advance(self, steps: int = 1, *, detail: str = "") -> None:
        before, self.left = self.left, self.left - steps
        if before > 0 >= self.left:
            self.cluster.lose_node()


@on_ray
def test_a_lost_node_changes_nothing_but_the_number_of_workers(cluster, tmp_path):
    spec = ModelSpec(labels=("a", "b", "c"), height=24, width=24, channels=1, activation="softmax")
    data = TrainingData(train=drawn(41, 1, spec), validation=drawn(17, 2, spec), spec=spec)
    options = TrainOptions(
        arch="cnn-16-32-16",  # batch normalisation lets the rounding of an engine grow faster
        size=24,
        channels=1,
        epochs=5,
        batch_size=16,
        optimizer="sgd",  # Adam makes whole steps of the rounding of a gradient that is zero
        augment="light",
        class_weights=True,
        ema=0.5,
        mixup=0.2,
        teacher=(tmp_path / "teacher.keras",),
    )

    def network():
        return build(options.arch, input_shape=spec.input_shape, classes=3)

    keras = import_keras()
    keras.utils.set_random_seed(7)
    teacher = network()
    teachers = (Teacher(path=options.teacher[0], sha256="", labels=spec.labels, model=teacher),)
    checkpoint = Checkpoint(tmp_path / "model")
    checkpoint.start({}, [])
    progress = Loser(cluster, 3)
    ours, fitted = fit_distributed(
        network,
        data,
        options=replace(options, workers="1..2", cluster=cluster.address),
        checkpoint=checkpoint,
        teachers=teachers,
        progress=progress,
    )
    assert any(note.startswith("A worker was lost") for note in progress.notes), progress.notes
    alone, expected = fit(network, data, options=options, teachers=teachers)
    for one, other in zip(fitted.history, expected.history, strict=True):
        assert one.loss == pytest.approx(other.loss, abs=1e-4)
        assert one.val_loss == pytest.approx(other.val_loss, abs=1e-4)
    for one, other in zip(ours.get_weights(), alone.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-4)
    keras.utils.set_random_seed(options.seed)
    moved = zip(network().get_weights(), alone.get_weights(), strict=True)
    assert max(np.abs(one - other).max() for one, other in moved) > 1e-3
    resumed, _ = fit(network, data, options=options, teachers=teachers, checkpoint=checkpoint)
    for one, other in zip(resumed.get_weights(), alone.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-4)


def drawn(count: int, seed: int, spec: ModelSpec) -> Pixels:
    """Noise whose brightness tells the class."""
    generator = np.random.default_rng(seed)
    truth = generator.integers(0, len(spec.labels), count)
    level = (70 + 60 * truth)[:, None, None, None]
    rows = np.clip(generator.normal(level, 60, (count, *spec.input_shape)), 0, 255)
    return Pixels(rows.astype(np.uint8), truth)
