"""Every option of a training, what it may be, and which of them a network needs."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args, get_type_hints

from edgeemo.dataset import IngestOptions
from edgeemo.train.loop.losses import default_lr
from edgeemo.train.networks.architectures import check_size, get_architecture
from edgeemo.train.options.checks import check_combinations, check_files, check_names, check_numbers
from edgeemo.train.options.choices import spoken
from edgeemo.train.options.faces import check_faces, crop_specs, detector_name

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, kw_only=True)
class TrainOptions:
    """How to train. The names are those of the command's options and of a config file's keys.

    Attributes:
        recipe: The recipe that the rest stems from, or "" without one.
        arch: A name of `edgeemo.train.ARCHITECTURES`.
        size: Height and width of the network's input in pixels; None for the architecture's own.
        channels: 1 (grey) or 3 (RGB).
        epochs: How often every training image is seen; at least 1.
        batch_size: Images per step; at least 1.
        seed: Fixes the split, the first weights, the order of the images and their augmentation.
        labels: Classes in the order of the outputs; None for the data's own, sorted.
        accept: Formats beyond JPEG, PNG and BMP to take, such as "webp".
        threshold: With two classes, the probability from which on the second is answered.
        ratios: Shares of train, validation and test. With a validation share of 0 the test split
            serves as validation, too.
        split: "grouped" keeps near-duplicates on one side; "random" is the tutorials' way,
            duplicates and all.
        augment: A name of `edgeemo.train.data.augmentations.AUGMENTATIONS`; the training split
            alone is.
        loss: "bce" (cross-entropy) or "focal".
        class_weights: Whether a rarer class counts more, so that all count alike together.
        optimizer: "adam", "adamw", "sgd" or "rmsprop".
        lr: Learning rate at the start; None for the optimiser's usual.
        schedule: How the learning rate falls: "constant", "cosine" or "step".
        early_stopping: Ends the training after so many epochs without a better one; 0 never.
        label_smoothing: How much of a label's certainty is taken from it, in [0, 1).
        ema: Momentum of the exponential moving average of the weights, which then is the model; in
            [0, 1), 0 for the weights themselves. See `edgeemo.train.loop.ema`.
        mixup: Both parameters of the beta distribution from which the shares of mixed training
            images are drawn; 0 mixes none. See `edgeemo.train.data.mixup`.
        teacher: Models whose mean answer is learnt besides the labels: model folders or ``.keras``
            files. See `edgeemo.train.loop.distillation`.
        teacher_weight: The teachers' share of the loss, in (0, 1]; the labels have the rest.
        teacher_temperature: What the logits of teachers and network are divided by before they are
            compared; 1 compares the probabilities as they are.
        metrics: What to keep of each epoch besides loss and accuracy.
        tensorboard: Folder for TensorBoard's logs, or None.
        weights: First weights of a backbone: "none", "imagenet" or a file.
        frozen_epochs: Epochs at the start in which only a backbone's new head learns.
        target_accuracy: What share of its answers shall be right; below the confidence that this
            takes the model answers "not sure". None: it always answers.
        save_keras: A second name for the original in the model folder, or None.
        faces: Whether the model answers faces that are found in photos; None for as the data folder
            says. Images without a face are set aside.
        cropped: Whether the images are crops of faces already, so that nothing is sought in them
            and faces are found in photos alone.
        face_detector: An `edgeemo.model.face_settings.Detector`; "" for the default.
        face_margin: Margin around a face; see `edgeemo.model.face_settings.FaceSettings`.
        face_score: Minimum detector score of a face; see there, too.
        face_model: A YuNet ``.onnx`` file, which then finds faces, or None.
        workers: Processes that train together; 1 for this one alone.
    """

    recipe: str = ""
    arch: str = "cnn-16-32-16"
    size: int | None = None
    channels: int = 3
    epochs: int = 20
    batch_size: int = 32
    seed: int = 0
    labels: tuple[str, ...] | None = None
    accept: tuple[str, ...] = ()
    threshold: float = 0.5
    ratios: tuple[float, ...] = (0.7, 0.2, 0.1)
    split: str = "grouped"
    augment: str = "none"
    loss: str = "bce"
    class_weights: bool = False
    optimizer: str = "adam"
    lr: float | None = None
    schedule: str = "constant"
    early_stopping: int = 0
    label_smoothing: float = 0.0
    ema: float = 0.0
    mixup: float = 0.0
    teacher: tuple[Path, ...] = ()
    teacher_weight: float = 0.7
    teacher_temperature: float = 1.0
    metrics: tuple[str, ...] = ()
    tensorboard: Path | None = None
    weights: str = "none"
    frozen_epochs: int = 0
    target_accuracy: float | None = None
    save_keras: str | None = None
    faces: bool | None = None
    cropped: bool = False
    face_detector: str = ""
    face_margin: float = 0.0
    face_score: float | None = None
    face_model: Path | None = None
    workers: int = 1

    @property
    def side(self) -> int:
        """Height and width of the input, in pixels."""
        return get_architecture(self.arch).size if self.size is None else self.size

    @property
    def validates_on_test(self) -> bool:
        """Whether the test split serves as validation, too."""
        return self.ratios[1] == 0

    @property
    def ingest(self) -> IngestOptions:
        """The part of the options that prepares the images.

        Raises:
            DatasetError: If a format is unknown, or the ratios are not three shares of 1.
            FaceModelError: If the file of a face detector cannot be used.
        """
        train, validation, test = self.ratios
        return IngestOptions(
            accept=self.accept,
            labels=self.labels,
            seed=self.seed,
            ratios=(train, validation, test),
            grouped=self.split == "grouped",
            crops=crop_specs(self),
        )

    def check(self) -> None:
        """Refuse what cannot work, before any slow work.

        Raises:
            TrainingError: If a value is out of its range, or a name unknown; the nearest is named.
            DatasetError: If a format is unknown, or the ratios are not three shares of 1.
            FaceModelError: If the file of a face detector cannot be used.
        """
        check_size(self.arch, self.side)
        check_numbers(self)
        check_names(self)
        check_faces(self)
        _ = self.ingest
        check_combinations(self)
        check_files(self)


NAMES = tuple(field.name for field in fields(TrainOptions))
"""The names of all options."""


def converted(name: str, value: Any) -> Any:
    """An option's value as TOML or JSON holds it, as `TrainOptions` takes it.

    Args:
        name: A name of `NAMES`.
        value: What was read: text, a number, a boolean or a list.

    Raises:
        ValueError: If it is of another type; the text says which is wanted.
    """
    hint = get_type_hints(TrainOptions)[name]
    choices = [choice for choice in get_args(hint) if choice is not type(None)]
    wanted = choices[0] if choices and hint.__class__.__name__ == "UnionType" else hint
    if wanted in (tuple[str, ...], tuple[float, ...], tuple[Path, ...]):
        return _converted_list(value, get_args(wanted)[0])
    return _converted_one(value, wanted)


def as_plain(options: TrainOptions) -> dict[str, Any]:
    """The options as TOML and JSON hold them, complete; what is None has no entry."""
    values = {name: getattr(options, name) for name in NAMES}
    values |= {
        "size": options.side,
        "lr": options.lr or default_lr(options.optimizer),
        "face_detector": detector_name(options),
    }
    return {name: plain(value) for name, value in values.items() if value is not None}


def from_plain(recorded: Mapping[str, Any]) -> TrainOptions:
    """The options of which `as_plain` gave this.

    Raises:
        ValueError: If a value is of another type than the option's.
    """
    return TrainOptions(**{name: converted(name, value) for name, value in recorded.items()})


def plain(value: Any) -> Any:
    """An option's value as TOML and JSON hold it."""
    if isinstance(value, tuple):
        return [plain(each) for each in value]
    return str(value) if isinstance(value, Path) else value


def differences(asked: Mapping[str, Any], recorded: Mapping[str, Any]) -> list[str]:
    """In words, which of the values asked for are not the recorded ones (both `as_plain`)."""
    return [
        f"{spoken(name)} {recorded.get(name, 'none')} before, {value} now"
        for name, value in asked.items()
        if recorded.get(name) != value
    ]


_WORDS = {int: "a whole number", float: "a number", str: "text", bool: "true or false"}


def _converted_list(value: Any, item: type) -> tuple[Any, ...]:
    if not isinstance(value, list | tuple):
        raise ValueError(f"a list of {'numbers' if item is float else 'texts'}")
    return tuple(_converted_one(each, item) for each in value)


def _converted_one(value: Any, wanted: Any) -> Any:
    if wanted is Path and isinstance(value, str | Path):
        return Path(value)
    if wanted is float and type(value) is int:
        return float(value)
    if type(value) is wanted:
        return value
    raise ValueError(_WORDS.get(wanted, "text"))
