"""Checks of a training's options that concern several options, or files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgeemo.dataset import check_collections, check_data, read_decisions
from edgeemo.errors import TrainingError
from edgeemo.model.folder import ModelFolder
from edgeemo.model.keras import find_reference_model
from edgeemo.train.data.soft_label_table import read_soft_labels
from edgeemo.train.loop.mlflow_run import parse_tracker
from edgeemo.train.networks.architectures import Architecture, check_size, get_architecture
from edgeemo.train.networks.pretrained import check_imagenet, find_weights
from edgeemo.train.networks.start import KERAS_SUFFIX, Start
from edgeemo.train.options.choices import Weights
from edgeemo.train.options.faces import build_ingest_options, check_faces
from edgeemo.train.options.recipes import get_recipe
from edgeemo.utils.extras import TRAINING, require_packages, require_packages_of_options
from edgeemo.utils.files import check_writable
from edgeemo.utils.text import plural

if TYPE_CHECKING:
    from edgeemo.train.data.source import ImageSource
    from edgeemo.train.options.options import TrainOptions

ALONE = ("minutes", "int8_aware")
"""Options that a training in several processes cannot have."""


def check_options(options: TrainOptions) -> None:
    """Refuse options that cannot work, before any slow work.

    Raises:
        TrainingError: If options contradict each other, or a file is missing.
        DatasetError: If an image format is unknown, or the ratios are not three shares of 1.
        FaceModelError: If a face detector's own file cannot be used.
        MissingExtraError: If a package is not installed that training or an option needs.
    """
    check_choices(options)
    check_packages(options)
    check_files(options)


def check_choices(options: TrainOptions) -> None:
    """Refuse unknown names, and options that contradict each other.

    Raises:
        TrainingError: If there is one.
        DatasetError: If an image format is unknown, or the ratios are not three shares of 1.
        FaceModelError: If a face detector's own file cannot be used.
    """
    if options.recipe:
        get_recipe(options.recipe)
    check_size(options.arch, options.side)
    check_faces(options)
    build_ingest_options(options)
    _check_combinations(options)


def check_packages(options: TrainOptions) -> None:
    """Refuse to begin without the packages that training and its options need.

    Raises:
        MissingExtraError: If one is not installed.
    """
    require_packages(TRAINING, purpose="training", extra="train")
    by_recipe = get_recipe(options.recipe).options if options.recipe else {}
    origins = dict.fromkeys(by_recipe, f"--recipe {options.recipe}")
    require_packages_of_options(options, origins=origins)


def _check_combinations(options: TrainOptions) -> None:
    check_alone(options)
    if options.target_accuracy is not None and options.validates_on_test:
        raise TrainingError(
            "--target-accuracy requires validation images: give them a share in --ratios, as in "
            "0.7,0.2,0.1"
        )
    if options.from_ == Weights.IMAGENET:
        check_imagenet(options.arch, get_architecture(options.arch))
    undecided = "from_" in (options.undecided or ())
    if options.frozen_epochs and options.from_ == Weights.NONE and not undecided:
        raise TrainingError("--frozen-epochs requires --from: a network to train the last layer of")
    if options.int8_aware and options.from_ in (Weights.NONE, Weights.IMAGENET):
        raise TrainingError("--int8-aware requires --from: a trained model to fine-tune")
    if options.int8_aware and options.ema:
        raise TrainingError("--int8-aware excludes --ema: leave out either")
    for name in ("teacher_weight", "teacher_temperature"):
        if not options.teacher and getattr(options, name) != getattr(type(options), name):
            raise TrainingError(f"--{name.replace('_', '-')} requires --teacher")
    _check_second_name(options.save_keras)
    if options.track is not None:
        parse_tracker(options.track)


def _check_second_name(name: str | None) -> None:
    if name is not None and (Path(name).name != name or not name.endswith(KERAS_SUFFIX)):
        raise TrainingError(
            f"--save-keras must be a file name that ends in {KERAS_SUFFIX}, not {name!r}; it is "
            "written into the model folder"
        )


def check_alone(options: TrainOptions) -> None:
    """Refuse what a training in several processes cannot do.

    Raises:
        TrainingError: If it is to train in several, with one of `ALONE`.
    """
    given = [f"--{name.replace('_', '-')}" for name in ALONE if getattr(options, name)]
    given += ["--tensorboard"] if options.tensorboard and options.cluster else []
    if given and options.is_distributed:
        name = "--cluster" if options.cluster else f"--workers {options.workers}"
        raise TrainingError(f"{name} excludes {', '.join(given)}: leave out either")


def check_images(data: ImageSource, options: TrainOptions) -> None:
    """Refuse a folder of images or soft labels that cannot be used, before any slow work.

    Raises:
        DatasetError: If the folder has other classes than the options, or the soft labels are
            wrong.
    """
    chosen: dict[str, Any] = {"labels": options.labels, "classes": options.classes}
    labels = (
        check_data(data, **chosen) if isinstance(data, Path) else check_collections(data, **chosen)
    )
    if labels is not None and options.soft_labels is not None:
        read_soft_labels(options.soft_labels, labels=labels)


def check_files(options: TrainOptions) -> None:
    """Refuse files that are missing or of another kind.

    Raises:
        TrainingError: If there is one.
        DatasetError: If the table of decisions cannot be read.
        ModelFolderError: If a teacher's folder has no model.
    """
    if options.from_ not in (Weights.NONE, Weights.IMAGENET):
        _check_start(options)
    for path in options.teacher:
        _check_teacher(path)
    if options.soft_labels is not None and not options.soft_labels.is_file():
        raise TrainingError(f"{options.soft_labels}: no such file; --soft-labels requires a CSV")
    if options.review is not None:
        read_decisions(options.review)
    if options.tensorboard is not None:
        _check_log_folder(options.tensorboard)


def _check_start(options: TrainOptions) -> None:
    network = get_architecture(options.arch)
    start = find_weights(options.arch, network, input_shape=(), weights=options.from_)
    if not isinstance(start, Start):
        return
    undecided = options.undecided or ()
    if start.arch and get_architecture(start.arch) != network and "arch" not in undecided:
        raise TrainingError(
            f"{start.name}: its network is {start.arch}, not {options.arch}; give --arch "
            f"{start.arch}"
        )
    if start.input_shape is None or network.is_backbone:  # which takes any size and channels
        return
    height, width, channels = start.input_shape
    if channels != options.channels and "channels" not in undecided:
        raise TrainingError(
            f"{start.name}: its images have {plural(channels, 'channel')}, not {options.channels}; "
            f"give --channels {channels}"
        )
    fits = (height, width) == (options.side, options.side) or "size" in undecided
    if isinstance(network, Architecture) and not fits:
        raise TrainingError(
            f"{start.name}: its images are {height}x{width}, not {options.side}x{options.side}; "
            f"give --size {height}"
        )


def _check_teacher(path: Path) -> None:
    if not path.exists():
        raise TrainingError(f"{path}: no such model; name a model folder or a {KERAS_SUFFIX} file")
    if path.is_dir():
        find_reference_model(ModelFolder(path))
    elif path.suffix != KERAS_SUFFIX:
        raise TrainingError(f"{path}: a teacher is a model folder or a {KERAS_SUFFIX} file")


def _check_log_folder(path: Path) -> None:
    try:
        check_writable(path)
    except OSError as error:
        raise TrainingError(
            f"{path}: cannot be written to ({error.strerror}); name another --tensorboard folder"
        ) from None
