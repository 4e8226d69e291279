"""Checks of a training's options that concern several options, or files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from edgeemo.errors import TrainingError
from edgeemo.train.networks.architectures import check_size, get_architecture
from edgeemo.train.networks.pretrained import KERAS_SUFFIX
from edgeemo.train.options.choices import Weights
from edgeemo.train.options.faces import build_ingest_options, check_faces
from edgeemo.train.options.recipes import get_recipe

if TYPE_CHECKING:
    from edgeemo.train.options.options import TrainOptions

ALONE = ("ema", "mixup", "teacher")
"""Options that a training in several processes cannot have."""


def check_options(options: TrainOptions) -> None:
    """Refuse options that cannot work, before any slow work.

    Raises:
        TrainingError: If options contradict each other, or a file is missing.
        DatasetError: If an image format is unknown, or the ratios are not three shares of 1.
        FaceModelError: If a face detector's own file cannot be used.
    """
    if options.recipe:
        get_recipe(options.recipe)
    check_size(options.arch, options.side)
    check_faces(options)
    build_ingest_options(options)
    _check_combinations(options)
    check_files(options)


def _check_combinations(options: TrainOptions) -> None:
    check_alone(options)
    if options.target_accuracy is not None and options.validates_on_test:
        raise TrainingError(
            "--target-accuracy requires validation images: give them a share in --ratios, as in "
            "0.7,0.2,0.1"
        )
    if options.weights != Weights.NONE and not get_architecture(options.arch).is_backbone:
        raise TrainingError(
            f"{options.arch} is no backbone: it takes no --weights; choose an --arch such as "
            "mobilenet-v2"
        )
    for name in ("teacher_weight", "teacher_temperature"):
        if not options.teacher and getattr(options, name) != getattr(type(options), name):
            raise TrainingError(f"--{name.replace('_', '-')} requires --teacher")


def check_alone(options: TrainOptions) -> None:
    """Refuse what a training in several processes cannot do.

    Raises:
        TrainingError: If it is to train in several, with one of `ALONE`.
    """
    given = [f"--{name}" for name in ALONE if getattr(options, name)]
    if given and options.workers > 1:
        raise TrainingError(
            f"--workers {options.workers} excludes {', '.join(given)}: leave out either"
        )


def check_files(options: TrainOptions) -> None:
    """Refuse files that are missing, or whose names are wrong.

    Raises:
        TrainingError: If one is.
    """
    if isinstance(options.weights, Path) and not options.weights.is_file():
        raise TrainingError(
            f"{options.weights}: no such weights file; --weights takes {', '.join(Weights)} or a "
            "file"
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
            f"--save-keras must be a file name that ends in {KERAS_SUFFIX}, not {name!r}; it is "
            "written into the model folder"
        )
