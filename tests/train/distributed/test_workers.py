"""Training on Ray. The tests marked `ray` really train, on two nodes of this machine."""

from __future__ import annotations

import csv
from dataclasses import replace
from importlib.util import find_spec
from shutil import copytree

import numpy as np
import pytest

from edgeemo.errors import TrainingError
from edgeemo.model.keras import import_keras, load_keras
from edgeemo.train import resume, train
from edgeemo.train.data.batches import make_dataset, make_training_dataset
from edgeemo.train.data.mixup import Mixup
from edgeemo.train.data.pipeline import Pixels
from edgeemo.train.data.shard import Shard
from edgeemo.train.loop.checkpoint import Checkpoint
from edgeemo.train.networks.architectures import build
from edgeemo.train.options.options import TrainOptions
from edgeemo.utils.progress import Silent

pytestmark = pytest.mark.tensorflow
EPOCHS, SIDE = 4, 24


def on_ray(test):
    """Mark a test that trains on Ray."""
    skip = pytest.mark.skipif(
        not (find_spec("ray") and find_spec("jax")), reason="Ray or JAX is not installed"
    )
    return pytest.mark.ray(skip(test))


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


class Loser(Silent):
    """A `Progress` that loses a node in the middle of the third epoch, and adds another.

    Args:
        cluster: The nodes.
        keep: Called then.
    """

    def __init__(self, cluster, keep) -> None:
        self.cluster, self.keep, self.left = cluster, keep, None
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)

    def stage(self, name: str, *, total: int | None = None) -> None:
        if self.left is None and name == "Training":
            self.left = total * 5 // (2 * EPOCHS)

    def advance(self, steps: int = 1, *, detail: str = "") -> None:
        if self.left:
            self.left = max(0, self.left - steps)
            if not self.left:
                self.keep()
                self.cluster.lose_node()
                self.cluster.repair()


@on_ray
def test_two_nodes_of_which_one_is_lost_give_the_model_folder_of_one_process(
    cluster, images, options, tmp_path, monkeypatch
):
    monkeypatch.setenv("RAY_TRAIN_WORKER_GROUP_START_TIMEOUT_S", "8")
    build("cnn-4", input_shape=(SIDE, SIDE, 1), classes=2).save(tmp_path / "teacher.keras")
    options = replace(
        options,
        arch="cnn-8-8-bn",
        size=SIDE,
        epochs=EPOCHS,
        lr=1e-3,
        optimizer="sgd",  # Adam makes whole steps of the rounding of a gradient that is zero
        augment="light",
        class_weights=True,
        ema=0.5,
        mixup=0.2,
        teacher=(tmp_path / "teacher.keras",),
    )
    alone = train(images, tmp_path / "one", options=options).folder
    running, kept = (Checkpoint(tmp_path / name).path for name in ("two", "kept/three"))
    progress = Loser(cluster, lambda: copytree(running, kept))
    # As many as there are, and no less than two: the training waits for the other node.
    shared = replace(options, workers="2..3", cluster=cluster.address)
    folder = train(images, tmp_path / "two", options=shared, progress=progress).folder
    assert progress.left == 0
    assert any(note.startswith("A worker was lost") for note in progress.notes), progress.notes
    assert {path.name for path in folder.path.iterdir()} == {
        path.name for path in alone.path.iterdir()
    }
    assert {path.name for path in tmp_path.iterdir()} == {"one", "two", "teacher.keras", "kept"}
    np.testing.assert_allclose(losses(folder), losses(alone), atol=1e-4)
    for two, one in zip(weights(folder), weights(alone), strict=True):
        np.testing.assert_allclose(two, one, atol=1e-4)
    given = {"workers": 1, "cluster": None}
    resumed = resume(tmp_path / "kept" / "three", requested=given).folder
    for three, one in zip(weights(resumed), weights(alone), strict=True):
        np.testing.assert_allclose(three, one, atol=1e-4)
    import_keras().utils.set_random_seed(options.seed)
    start = build(options.arch, input_shape=(SIDE, SIDE, 1), classes=2).get_weights()
    moved = zip(start, weights(alone), strict=True)
    assert max(np.abs(one - other).max() for one, other in moved) > 1e-3


def losses(folder) -> list[list[float]]:
    with folder.file("history.csv").open(newline="") as stream:
        return [[float(row["loss"]), float(row["val_loss"])] for row in csv.DictReader(stream)]


def weights(folder):
    return load_keras(folder.file("model.keras")).get_weights()
