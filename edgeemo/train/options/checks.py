"""What a training's options may be: ranges, names, files, and what goes together."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from edgeemo.errors import TrainingError
from edgeemo.train.data.augmentations import AUGMENTATIONS
from edgeemo.train.loop.losses import LOSSES, OPTIMIZERS, SCHEDULES
from edgeemo.train.loop.tracking import METRICS
from edgeemo.train.networks.architectures import get_architecture
from edgeemo.train.networks.pretrained import KERAS_SUFFIX
from edgeemo.train.options.choices import spoken, unknown

if TYPE_CHECKING:
    from edgeemo.train.options.options import TrainOptions

SPLITS_BY = ("grouped", "random")
WEIGHTS = ("none", "imagenet")

ALONE = ("ema", "mixup", "teacher")
"""Options that a training in several processes cannot have."""

_MAX_SIDE = 4096
_MAX_SEED = 2**32 - 1
_MOST = 100.0
"""The largest parameter of mix-up, and temperature: beyond, nothing changes any more."""


def check_numbers(options: TrainOptions) -> None:
    """Refuse numbers out of their range.

    Raises:
        TrainingError: If one is; the text says which and its range.
    """
    for name, low, high in (
        ("size", 1, _MAX_SIDE),
        ("epochs", 1, 1_000_000),
        ("batch_size", 1, 65_536),
        ("seed", 0, _MAX_SEED),
        ("early_stopping", 0, 1_000_000),
        ("frozen_epochs", 0, 1_000_000),
        ("workers", 1, 65_536),
    ):
        value = getattr(options, name)
        if value is not None and not low <= value <= high:
            raise TrainingError(f"{spoken(name)} must be {low:,} to {high:,}, not {value:,}")
    if options.channels not in (1, 3):
        raise TrainingError(f"channels must be 1 (grey) or 3 (RGB), not {options.channels}")
    if len(options.ratios) != 3:
        raise TrainingError(
            f"ratios must be three shares (train, validation, test), not {list(options.ratios)}"
        )
    lr, target = options.lr, options.target_accuracy
    weight, temperature = options.teacher_weight, options.teacher_temperature
    for name, fine, range_ in (
        ("threshold", 0 < options.threshold < 1, "lie between 0 and 1"),
        ("lr", lr is None or 0 < lr < 1e3, "be more than 0"),
        ("label_smoothing", 0 <= options.label_smoothing < 1, "be at least 0 and less than 1"),
        ("target_accuracy", target is None or 0 < target <= 1, "be more than 0 and at most 1"),
        ("ema", 0 <= options.ema < 1, "be at least 0 and less than 1"),
        ("mixup", 0 <= options.mixup <= _MOST, f"be 0 to {_MOST:g}"),
        ("teacher_weight", 0 < weight <= 1, "be more than 0 and at most 1"),
        ("teacher_temperature", 0 < temperature <= _MOST, f"be more than 0, at most {_MOST:g}"),
    ):
        if not fine:
            raise TrainingError(f"{spoken(name)} must {range_}, not {getattr(options, name)}")


def check_names(options: TrainOptions) -> None:
    """Refuse names that nothing has.

    Raises:
        TrainingError: If one is unknown; the text names the nearest.
    """
    for name, choices in (
        ("split", SPLITS_BY),
        ("augment", tuple(AUGMENTATIONS)),
        ("loss", LOSSES),
        ("optimizer", tuple(OPTIMIZERS)),
        ("schedule", SCHEDULES),
    ):
        if getattr(options, name) not in choices:
            raise unknown(spoken(name), getattr(options, name), choices)
    for metric in options.metrics:
        if metric not in METRICS:
            raise unknown("metric", metric, METRICS)


def check_combinations(options: TrainOptions) -> None:
    """Refuse options that do not go together.

    Raises:
        TrainingError: If two do not, or one goes without the one that it belongs to.
    """
    check_alone(options)
    if options.target_accuracy is not None and options.validates_on_test:
        raise TrainingError(
            "a target accuracy needs validation images of their own; give them a share in "
            "--ratios, as in 0.7,0.2,0.1"
        )
    if options.weights != "none" and not get_architecture(options.arch).is_backbone:
        raise TrainingError(
            f"{options.arch} is no backbone: it takes no --weights; choose an --arch such as "
            "mobilenet-v2"
        )
    for name in ("teacher_weight", "teacher_temperature"):
        if not options.teacher and getattr(options, name) != getattr(type(options), name):
            flag = f"--{name.replace('_', '-')}"
            raise TrainingError(f"{flag} without --teacher: name --teacher, too, or leave that out")


def check_alone(options: TrainOptions) -> None:
    """Refuse what a training in several processes cannot do.

    Raises:
        TrainingError: If it is to train in several, with one of `ALONE`.
    """
    said = [f"--{name}" for name in ALONE if getattr(options, name)]
    if said and options.workers > 1:
        raise TrainingError(
            f"--workers {options.workers} trains without {', '.join(said)}; "
            f"leave out either --workers or {'that' if len(said) == 1 else 'those'}"
        )


def check_files(options: TrainOptions) -> None:
    """Refuse files that are not there, or whose names are none.

    Raises:
        TrainingError: If one is.
    """
    if options.weights not in WEIGHTS and not Path(options.weights).is_file():
        raise TrainingError(
            f"{options.weights}: no such weights file; there are also: {', '.join(WEIGHTS)}"
        )
    for path in options.teacher:
        if not path.exists():
            raise TrainingError(
                f"{path}: no such model; name a model folder or a {KERAS_SUFFIX} file"
            )
        if path.is_file() and path.suffix != KERAS_SUFFIX:
            raise TrainingError(f"{path}: a teacher is a model folder or a {KERAS_SUFFIX} file")
    name = options.save_keras
    if name is not None and (Path(name).name != name or not name.endswith(KERAS_SUFFIX)):
        raise TrainingError(
            f"save keras must be a file name that ends in {KERAS_SUFFIX}, not {name!r}; it is "
            "written into the model folder"
        )
