from __future__ import annotations

import hashlib
import subprocess
import sys
from functools import partial

import numpy as np
import pytest

from edgeemo.errors import TrainingError
from edgeemo.model.keras import import_keras
from edgeemo.train.data.pipeline import TrainingData
from edgeemo.train.loop.checkpoint import Checkpoint
from edgeemo.train.loop.fit import fit
from edgeemo.train.loop.history import Epoch, write_history
from edgeemo.train.networks.architectures import build
from edgeemo.train.options.options import TrainOptions

pytestmark = pytest.mark.tensorflow


def network():
    return build("cnn-16-32-16", input_shape=(32, 32, 1), classes=2)


def digest(model) -> str:
    return hashlib.sha256(b"".join(each.tobytes() for each in model.get_weights())).hexdigest()


@pytest.fixture
def run(noise, spec32):
    def run(
        make=network, *, progress=None, validation=16, checkpoint=None, on_epoch=None, **options
    ):
        asked = {"epochs": 2, "seed": 3, "batch_size": 16, **options}
        return fit(
            make,
            TrainingData(train=noise(40, 1), validation=noise(validation, 2), spec=spec32),
            options=TrainOptions(**asked),
            checkpoint=checkpoint,
            on_epoch=on_epoch,
            progress=progress,
        )

    return run


FRESH = """
import hashlib, numpy as np
from edgeemo.model.spec import ModelSpec
from edgeemo.train.networks.architectures import build
from edgeemo.train.loop.fit import fit
from edgeemo.train.options.options import TrainOptions
from edgeemo.train.data.pipeline import Pixels, TrainingData
spec = ModelSpec(labels=("happy", "sad"), height=32, width=32, channels=1)
drawn = np.random.default_rng(9)
train, validation = (
    Pixels(drawn.integers(0, 256, (n, 32, 32, 1), np.uint8), drawn.integers(0, 2, n))
    for n in (40, 16)
)
model, _ = fit(
    lambda: build("cnn-16-32-16", input_shape=(32, 32, 1), classes=2),
    TrainingData(train=train, validation=validation, spec=spec),
    options=TrainOptions(epochs=2, batch_size=16, seed=3, augment="strong"),
)
answer = hashlib.sha256(b"".join(each.tobytes() for each in model.get_weights())).hexdigest()
"""


def test_the_seed_fixes_the_weights_in_one_process_and_across_two():
    here, again = {}, {}
    exec(FRESH, here)  # this process has built and trained other networks before
    exec(FRESH, again)
    assert again["answer"] == here["answer"]
    there = subprocess.run(
        [sys.executable, "-c", FRESH + "print(answer)"], capture_output=True, text=True, check=True
    )
    assert there.stdout.strip() == here["answer"]


def test_the_model_is_left_with_its_best_epoch(run, noise, spec32):
    model, how = run(epochs=5)
    losses = [epoch.val_loss for epoch in how.history]
    assert how.best_epoch == 1 + int(np.argmin(losses))
    validation = noise(16, 2)
    images = validation.rows * np.float32(1 / 255)
    truth = validation.truth[:, None].astype(np.float32)
    loss, _ = model.evaluate(images, truth, verbose=0)
    assert loss == pytest.approx(min(losses), rel=1e-5)
    assert not how.interrupted


def test_ctrl_c_keeps_the_best_so_far_and_says_so(run, stopper):
    progress = stopper("Training", 3 + 2)  # three steps an epoch: within the second
    model, how = run(epochs=4, progress=progress)
    alone, _ = run(epochs=1)
    other, _ = run(epochs=1, seed=4)
    assert (how.interrupted, how.best_epoch, len(how.history)) == (True, 1, 1)
    assert digest(model) == digest(alone) != digest(other)
    assert progress.notes == [
        "Interrupted in epoch 2 of 4: the best weights so far, those of epoch 1, are kept."
    ]


def test_ctrl_c_before_the_first_epoch_has_ended_propagates(run, stopper):
    with pytest.raises(KeyboardInterrupt):
        run(progress=stopper("Training", 2))


def test_a_loss_that_is_no_number_is_one_clear_line(run):
    def broken():
        model = network()
        model.set_weights([each * np.nan for each in model.get_weights()])
        return model

    with pytest.raises(TrainingError, match="the loss is nan in epoch 1") as caught:
        run(broken)
    assert "\n" not in str(caught.value)


def test_without_a_validation_split_the_training_loss_decides(run, tmp_path):
    _, how = run(validation=0)
    assert [epoch.val_loss for epoch in how.history] == [None, None]
    assert how.best_epoch == min(how.history, key=lambda epoch: epoch.loss).epoch
    lines = write_history(tmp_path / "history.csv", how.history).read_text().splitlines()
    assert lines[0] == "epoch,loss,accuracy,val_loss,val_accuracy"
    assert lines[1].endswith(",,")


def test_history_is_written_with_seven_digits(tmp_path):
    epoch = Epoch(epoch=1, loss=2 / 3, accuracy=0.5, val_loss=0.25, val_accuracy=1.0)
    text = write_history(tmp_path / "history.csv", [epoch]).read_text()
    assert text.splitlines()[1] == "1,0.6666667,0.5,0.25,1"


def test_tracked_metrics_are_columns_of_the_history(run, tmp_path):
    _, how = run(metrics=("precision", "recall"))
    lines = write_history(tmp_path / "history.csv", how.history).read_text().splitlines()
    assert lines[0].startswith("epoch,loss,accuracy,val_loss,val_accuracy,")
    assert set(lines[0].split(",")[5:]) == {"precision", "recall", "val_precision", "val_recall"}
    assert all(0 <= float(cell) <= 1 for cell in lines[1].split(",")[5:])


class _PowerCutError(Exception):
    pass


@pytest.fixture(scope="module")
def teacher(tmp_path_factory):
    """A file of a model with its first weights."""
    path = tmp_path_factory.mktemp("teacher") / "teacher.keras"
    import_keras().utils.set_random_seed(1)
    build("edge-c8d", input_shape=(32, 32, 1), classes=2).save(path)
    return path


@pytest.mark.parametrize(
    ("cut_after", "options"),
    [
        (2, {"augment": "strong", "schedule": "cosine", "class_weights": True}),
        (1, {"optimizer": "sgd", "loss": "focal", "label_smoothing": 0.1}),
        (2, {"frozen_epochs": 2, "early_stopping": 3}),
        (1, {"ema": 0.9, "arch": "cnn-bn-64"}),
        (1, {"ema": 0.9, "frozen_epochs": 1, "schedule": "cosine"}),
        (2, {"mixup": 0.4, "class_weights": True, "augment": "light"}),
        (1, {"teacher": True, "teacher_temperature": 2.0, "mixup": 0.2, "ema": 0.9}),
    ],
)
def test_a_training_that_was_cut_ends_with_the_same_weights(
    run, tmp_path, cut_after, options, teacher
):
    make = partial(build, options.get("arch", "cnn-16-32-16"), input_shape=(32, 32, 1), classes=2)
    options = {"make": make, "size": 32, "channels": 1, **options}
    if options.get("teacher"):
        options["teacher"] = (teacher,)
    whole, how = run(epochs=3, **options)

    def cut(epoch):
        if epoch.epoch == cut_after:
            raise _PowerCutError

    checkpoint = Checkpoint(tmp_path / "model")
    checkpoint.start({}, [])
    checkpoint.is_worth_writing = lambda: True
    with pytest.raises(_PowerCutError):
        run(epochs=3, checkpoint=checkpoint, on_epoch=cut, **options)
    assert len(checkpoint.read().history) == cut_after
    resumed, again = run(epochs=3, checkpoint=checkpoint, **options)
    assert digest(resumed) == digest(whole)
    assert again == how


def test_early_stopping_ends_the_training_and_says_so(run, stopper):
    progress = stopper("no stage", 0)
    _, how = run(epochs=30, early_stopping=2, lr=0.02, progress=progress)
    assert how.stopped_early
    assert len(how.history) == how.best_epoch + 2 < 30
    assert f"better than epoch {how.best_epoch}" in progress.notes[-1]


def test_a_training_stopped_early_is_not_trained_on_when_resumed(run, tmp_path):
    checkpoint = Checkpoint(tmp_path / "model")
    checkpoint.start({}, [])
    checkpoint.is_worth_writing = lambda: True
    model, how = run(epochs=30, early_stopping=2, lr=0.02, checkpoint=checkpoint)
    resumed, again = run(epochs=30, early_stopping=2, lr=0.02, checkpoint=checkpoint)
    assert digest(resumed) == digest(model)
    assert again == how
