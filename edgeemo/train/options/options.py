"""Every option of a training, declared once: type, default, range, choices, help and group."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from edgeemo.errors import TrainingError
from edgeemo.model.face_settings import Detector
from edgeemo.model.input_spec import MAX_SIDE
from edgeemo.train.networks.edge import EDGE
from edgeemo.train.options.choices import (
    Augment,
    Loss,
    Metric,
    Mode,
    Optimizer,
    Schedule,
    Split,
    Weights,
    WorkerRange,
)
from edgeemo.train.options.shared import (
    ACCEPT,
    CLASSES,
    CLUSTER,
    FACE_DETECTOR,
    FACE_MARGIN,
    FACE_MODEL,
    FACE_SCORE,
    MAX_SEED,
    RATIOS,
    REVIEW,
    distribution_option,
    face_option,
)
from edgeemo.utils.options import Option, convert_fields, option_fields

if TYPE_CHECKING:
    from collections.abc import Iterable

_image = partial(Option, group="Images")
_network = partial(Option, group="Network")
_training = partial(Option, group="Training")
_regularisation = partial(Option, group="Regularisation")
_distillation = partial(Option, group="Distillation")
_decision = partial(Option, group="Decision")
_record = partial(Option, group="Records")

PLAIN_ARCH = "cnn-16-32-16"
"""Name of the network of mode plain."""

DECIDED = frozenset(
    {
        "faces", "cropped", "face_margin", "face_score", "arch", "size", "channels", "from_",
        "frozen_epochs", "epochs", "batch_size", "class_weights", "lr", "schedule",
        "early_stopping", "augment",
    }
)  # fmt: skip
"""Names of the options that mode auto chooses."""

DISTRIBUTION = ("workers", "cluster", "gpu", "max_failures")
"""Names of the options that say where a training runs, and change nothing but the rounding."""

_MANY = 1_000_000
_LARGEST_PARAMETER = 100
"""Of mix-up and of temperature: beyond, nothing changes any more."""


def _recipes() -> Iterable[str]:
    from edgeemo.train.options.recipes import RECIPES

    return RECIPES


def _networks() -> Iterable[str]:
    from edgeemo.train.networks.architectures import ARCHITECTURES

    return ARCHITECTURES


def _weights() -> Iterable[str]:
    return Weights


@dataclass(frozen=True, kw_only=True)
class TrainOptions:
    """How to train: the options of ``edgeemo train`` and the keys of a configuration file.

    >>> TrainOptions(arch="cnn-bn-64", augment=Augment.LIGHT, epochs=40).side
    64

    At run time the text of a choice will do, too: ``augment="light"``.

    Attributes:
        undecided: Names of the options that `edgeemo.train.auto` chooses; by default, in mode auto,
            those of `DECIDED` that have their default.
        reasons: The choices so far, each with its reason.

    Raises:
        TrainingError: If a value has the wrong type or is out of its range, or a name is unknown.
            `edgeemo.train.options.checks.check_options` checks the rest.
    """

    mode: Annotated[
        Mode | None,
        Option(
            "Options that are not given: auto chooses them from the images, plain takes the "
            "defaults.",
            default="auto; plain with --recipe or --arch",
        ),
    ] = None
    recipe: Annotated[
        str, Option("Published project to repeat; other options override it.", names=_recipes)
    ] = ""

    labels: Annotated[
        tuple[str, ...] | None,
        _image("Classes in the order of the network's outputs.", default="by name"),
    ] = None
    classes: Annotated[
        tuple[str, ...] | None,
        replace(
            CLASSES,
            help=f"{CLASSES.help} Their order has no effect: --labels sets that of the outputs.",
            group="Images",
        ),
    ] = None
    soft_labels: Annotated[
        Path | None,
        _image(
            "CSV file of distributions to train on: path, and votes or shares for each class.",
            metavar="FILE.csv",
        ),
    ] = None
    accept: Annotated[tuple[str, ...], replace(ACCEPT, group="Images")] = ()
    review: Annotated[Path | None, replace(REVIEW, group="Images")] = None
    ratios: Annotated[
        tuple[float, float, float],
        replace(
            RATIOS,
            help=f"{RATIOS.help} Without one for validation, the test images choose the epoch.",
            group="Images",
        ),
    ] = (0.7, 0.2, 0.1)
    split: Annotated[
        Split,
        _image(
            "How to split: grouped leaves duplicates out and keeps near-duplicates together, "
            "random does neither."
        ),
    ] = Split.GROUPED

    arch: Annotated[
        str,
        _network(
            "Network: a name, or a composed one such as cnn-16-32-bn or edge-c16-r32m.",
            default=f"{PLAIN_ARCH}, in mode auto {EDGE}",
            names=_networks,
        ),
    ] = ""
    size: Annotated[
        int | None,
        _network(
            "Height and width of the network's input in pixels.",
            default="the network's own",
            minimum=1,
            maximum=MAX_SIDE,
        ),
    ] = None
    channels: Annotated[Literal[1, 3], _network("Channels of the input: 1 is grey, 3 is RGB.")] = 3
    from_: Annotated[
        Weights | Path,
        _network(
            "Pretrained model to start from: happy-sad, a model folder or file, a backbone's "
            "ImageNet weights, or none.",
            metavar="MODEL",
            names=_weights,
        ),
    ] = Weights.NONE
    frozen_epochs: Annotated[
        int,
        _network(
            "First epochs, in which only the last layer of a pretrained network is trained.",
            minimum=0,
            maximum=_MANY,
        ),
    ] = 0

    int8_aware: Annotated[
        bool,
        _training(
            "Fine-tune the model of --from with the rounding of int8 in the forward pass.",
        ),
    ] = False
    epochs: Annotated[
        int, _training("Passes over the training images.", minimum=1, maximum=_MANY)
    ] = 20
    batch_size: Annotated[
        int, _training("Images per training step.", minimum=1, maximum=65_536)
    ] = 32
    seed: Annotated[
        int,
        _training(
            "Seed of the split, the initial weights, the order of images and the augmentation.",
            minimum=0,
            maximum=MAX_SEED,
        ),
    ] = 0
    loss: Annotated[Loss, _training("Loss function: cross-entropy (bce), or its focal form.")] = (
        Loss.BCE
    )
    class_weights: Annotated[
        bool,
        _training(
            "Weight the loss so that all classes count the same.",
            flag="--class-weights/--no-class-weights",
        ),
    ] = False
    optimizer: Annotated[Optimizer, _training("Optimizer.")] = Optimizer.ADAM
    lr: Annotated[
        float | None,
        _training("Initial learning rate.", default="the optimizer's usual", above=0, below=1000),
    ] = None
    schedule: Annotated[
        Schedule,
        _training(
            "Course of the learning rate; step divides it by 10 after 1/2 and 3/4 of the steps."
        ),
    ] = Schedule.CONSTANT
    minutes: Annotated[
        float | None,
        _training(
            "Minutes after which the training ends, with its best epoch.",
            metavar="N",
            default="no limit",
            above=0,
            maximum=_MANY,
        ),
    ] = None
    early_stopping: Annotated[
        int,
        _training(
            "Epochs without improvement after which training ends; 0 for never.",
            minimum=0,
            maximum=_MANY,
        ),
    ] = 0
    augment: Annotated[Augment, _regularisation("Random changes to the training images.")] = (
        Augment.NONE
    )
    label_smoothing: Annotated[
        float, _regularisation("Label smoothing factor.", minimum=0, below=1)
    ] = 0.0
    ema: Annotated[
        float,
        _regularisation(
            "Momentum of the exponential moving average of the weights, which becomes the model; 0 "
            "for none.",
            metavar="M",
            minimum=0,
            below=1,
        ),
    ] = 0.0
    mixup: Annotated[
        float,
        _regularisation(
            "Parameter of mix-up's beta distribution, as in 0.2; 0 for no mix-up.",
            metavar="ALPHA",
            minimum=0,
            maximum=_LARGEST_PARAMETER,
        ),
    ] = 0.0

    teacher: Annotated[
        tuple[Path, ...],
        _distillation(
            "Models whose predictions are learnt, too: model folders or .keras files.",
            metavar="MODEL,...",
        ),
    ] = ()
    teacher_weight: Annotated[
        float,
        _distillation(
            "Share of the teachers in the loss; the labels have the rest.",
            metavar="SHARE",
            above=0,
            maximum=1,
        ),
    ] = 0.7
    teacher_temperature: Annotated[
        float,
        _distillation(
            "Temperature that divides the logits before they are compared.",
            metavar="T",
            above=0,
            maximum=_LARGEST_PARAMETER,
        ),
    ] = 1.0

    threshold: Annotated[
        float,
        _decision(
            "With two classes, minimum probability to predict the second.",
            metavar="P",
            above=0,
            below=1,
        ),
    ] = 0.5
    target_accuracy: Annotated[
        float | None,
        _decision(
            "Accuracy to reach by predicting 'not sure' where the confidence is too low.",
            metavar="SHARE",
            above=0,
            maximum=1,
        ),
    ] = None

    background: Annotated[
        str | None,
        _decision(
            "Class of images that belong to none of the others, such as neither.",
            metavar="CLASS",
        ),
    ] = None

    workers: Annotated[
        int | WorkerRange,
        distribution_option(
            "Processes that train together on Ray (needs the distributed extra); 2..8 takes as "
            "many as there are CPUs or GPUs for.",
            metavar="N|N..M",
            minimum=1,
            maximum=65_536,
            needs=lambda workers: "ray" if workers != 1 else "",
        ),
    ] = 1
    cluster: Annotated[str | None, CLUSTER] = None
    gpu: Annotated[
        bool,
        distribution_option("Give each worker a GPU.", needs=lambda gpu: "ray" if gpu else ""),
    ] = False
    max_failures: Annotated[
        int,
        distribution_option(
            "Number of lost workers or nodes that are replaced, from the last checkpoint on.",
            minimum=0,
            maximum=_MANY,
        ),
    ] = 3

    metrics: Annotated[
        tuple[Metric, ...], _record("Metrics to record after every epoch, too.")
    ] = ()
    tensorboard: Annotated[
        Path | None,
        _record("Folder for a TensorBoard log.", metavar="DIR", needs=lambda _: "tensorboard"),
    ] = None
    track: Annotated[
        str | None,
        _record(
            "MLflow server or database to record the options and the metrics in.",
            metavar="mlflow:URI",
            needs=lambda _: "mlflow",
        ),
    ] = None
    save_keras: Annotated[
        str | None, _record("Second name of model.keras in the model folder.", metavar="NAME.keras")
    ] = None

    faces: Annotated[
        bool | None,
        face_option(
            "Train on the largest face of each image; images without one are left out.",
            default="as the folder of images says",
        ),
    ] = None
    cropped: Annotated[
        bool,
        face_option(
            "The images are crops of faces already; the model finds faces in photos.",
            flag="--cropped/--no-cropped",
        ),
    ] = False
    face_detector: Annotated[Detector | None, FACE_DETECTOR] = None
    face_margin: Annotated[float, FACE_MARGIN] = 0.0
    face_score: Annotated[float | None, FACE_SCORE] = None
    face_model: Annotated[Path | None, FACE_MODEL] = None

    undecided: frozenset[str] | None = field(default=None, compare=False)
    reasons: tuple[str, ...] = field(default=(), compare=False)

    def __post_init__(self) -> None:
        try:
            convert_fields(self)
        except ValueError as error:
            raise TrainingError(str(error)) from None
        given = self.recipe or self.arch
        mode = self.mode or (Mode.PLAIN if given else Mode.AUTO)
        undecided = self.undecided
        if undecided is None:
            undecided = DECIDED if mode is Mode.AUTO else frozenset()
            undecided = frozenset(filter(self._has_default, undecided))
        arch = self.arch or (EDGE if mode is Mode.AUTO else PLAIN_ARCH)
        for name, value in {"mode": mode, "undecided": undecided, "arch": arch}.items():
            object.__setattr__(self, name, value)

    def _has_default(self, name: str) -> bool:
        return bool(getattr(self, name) == getattr(type(self), name))

    @property
    def worker_range(self) -> tuple[int, int]:
        """Return the smallest and the largest number of workers."""
        workers = self.workers
        return (workers, workers) if isinstance(workers, int) else (workers.low, workers.high)

    @property
    def is_distributed(self) -> bool:
        """Return whether worker processes train, on Ray."""
        return self.worker_range != (1, 1) or self.cluster is not None or self.gpu

    @property
    def side(self) -> int:
        """Return the height and width of the input, in pixels.

        Raises:
            TrainingError: If the network is unknown.
        """
        from edgeemo.train.networks.architectures import get_architecture

        return get_architecture(self.arch).size if self.size is None else self.size

    @property
    def validates_on_test(self) -> bool:
        """Return whether the test split serves as validation, too."""
        return self.ratios[1] == 0


KEYS = {each.key: name for name, each in option_fields(TrainOptions).items()}
"""Name in files of each option to its name in Python."""
