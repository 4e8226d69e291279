"""Models that a network learns from besides the labels: found, checked, and what they teach.

Hinton et al. 2015, "Distilling the Knowledge in a Neural Network": the loss is
``(1 - w) * loss of the label + w * T ** 2 * cross-entropy between the teacher's and the network's
probabilities``, both taken from logits divided by the temperature T; the factor keeps the size of
the gradient. Several teachers teach the mean of their probabilities. They see the very images
that the network sees, and do not learn.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edgeemo.errors import TrainingError
from edgeemo.model.folder import ModelFolder
from edgeemo.model.keras import (
    find_reference_model,
    hash_reference_model,
    import_keras,
    load_keras,
    load_reference_model,
)
from edgeemo.train.report.evaluation import check_probabilities, predict_split
from edgeemo.utils.files import sha256_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from edgeemo.model.spec import ModelSpec
    from edgeemo.train.data.pipeline import Pixels
    from edgeemo.train.options.options import TrainOptions

_TRIED = 64
"""Training images on which a teacher's answers are looked at first."""


@dataclass(frozen=True, kw_only=True)
class Teacher:
    """A model to learn from.

    Attributes:
        path: As the user said.
        sha256: Of its file.
        labels: Its classes in the order of its outputs; None where only a file is there.
        model: A frozen Keras model from [0, 1] to probabilities.
    """

    path: Path
    sha256: str
    labels: tuple[str, ...] | None
    model: Any


def load_teachers(options: TrainOptions) -> tuple[Teacher, ...]:
    """Load the teacher models that these options name.

    Raises:
        TrainingError: If one takes other images than the network.
        ModelFolderError: If one cannot be loaded.
        MissingExtraError: If TensorFlow is not installed.
    """
    return tuple(_load_teacher(path, options) for path in options.teacher)


def check_teachers(teachers: Iterable[Teacher], spec: ModelSpec) -> None:
    """Refuse teachers of other classes.

    Args:
        teachers: What `load_teachers` gave.
        spec: The network's.

    Raises:
        TrainingError: If one answers other classes, or in another order; the text says which.
    """
    for teacher in teachers:
        if teacher.labels not in (None, spec.labels):
            raise TrainingError(
                f"{teacher.path}: a teacher of {', '.join(teacher.labels or ())}, where the "
                f"network learns {', '.join(spec.labels)}; name another, or give the classes in "
                "its order with --labels"
            )
        outputs = tuple(teacher.model.output_shape[1:])
        if outputs != (spec.output_count,):
            raise TrainingError(
                f"{teacher.path}: a teacher with outputs of shape {outputs}, where the network has "
                f"({spec.output_count},); name one of {', '.join(spec.labels)}"
            )


def check_teacher_outputs(teachers: Iterable[Teacher], pixels: Pixels, spec: ModelSpec) -> None:
    """Refuse teachers whose answers to the first images are no probabilities.

    Raises:
        TrainingError: If one's are not.
    """
    for teacher in teachers:
        outputs = predict_split(teacher.model, pixels.head(_TRIED), spec=spec)
        try:
            check_probabilities(outputs, spec)
        except TrainingError as error:
            raise TrainingError(f"{teacher.path}: {error}") from None


def check_same_teachers(
    teachers: Iterable[Teacher], began: Mapping[str, str], *, out: Path
) -> None:
    """Refuse to go on with other teachers than a training began with.

    Args:
        teachers: What `load_teachers` gave.
        began: What `hash_teachers` gave then.
        out: The model folder that is to be made.

    Raises:
        TrainingError: If one has changed.
    """
    for path, sha256 in hash_teachers(teachers).items():
        if began.get(path) != sha256:
            raise TrainingError(
                f"{out}: the teacher {path} is not the one that the training began with; "
                "restore it, or begin anew with --force"
            )


def hash_teachers(teachers: Iterable[Teacher]) -> dict[str, str]:
    """Path to SHA-256 of the file."""
    return {str(teacher.path): teacher.sha256 for teacher in teachers}


def make_distillation_loss(
    teachers: Sequence[Teacher], *, temperature: float, spec: ModelSpec
) -> Callable[[Any, Any, Any], Any]:
    """Return the loss between the network's and the teachers' predictions.

    Args:
        teachers: At least one.
        temperature: T, above 0.
        spec: Gives the form of the answer.

    Returns:
        Function of images (B, H, W, C), the network's probabilities for them, and what each counts
        ((B,) or None), to the mean loss in nats, a scalar.
    """
    keras = import_keras()
    ops, losses = keras.ops, keras.losses
    sigmoid = spec.activation == "sigmoid"
    kind = losses.BinaryCrossentropy if sigmoid else losses.CategoricalCrossentropy
    compared, of_logits = kind(), kind(from_logits=True)
    squash = ops.sigmoid if sigmoid else ops.softmax

    def logits(answer: Any) -> Any:
        answer = ops.clip(answer, keras.config.epsilon(), 1 - keras.config.epsilon())
        return ops.log(answer) - (ops.log(1 - answer) if sigmoid else 0)

    def loss(images: Any, answer: Any, counts: Any) -> Any:
        taught = ops.mean(
            ops.stack([teacher.model(images, training=False) for teacher in teachers]), axis=0
        )
        if temperature == 1:
            return compared(taught, answer, counts)
        softened = squash(logits(taught) / temperature)
        return temperature**2 * of_logits(softened, logits(answer) / temperature, counts)

    return loss


def _load_teacher(path: Path, options: TrainOptions) -> Teacher:
    if path.is_dir():
        folder = ModelFolder(path)
        model, labels = load_reference_model(folder), folder.read_spec().labels
        sha256 = hash_reference_model(find_reference_model(folder))
    else:
        model, labels, sha256 = load_keras(path), None, sha256_file(path)
    model.trainable = False  # so that no gradient is kept for it
    wanted = (options.side, options.side, options.channels)
    found = tuple(model.input_shape[1:])
    if found != wanted:
        raise TrainingError(
            f"{path}: a teacher for images of shape {found}, where the network takes {wanted}; "
            "train both with the same --size and --channels"
        )
    return Teacher(path=path, sha256=sha256, labels=labels, model=model)
