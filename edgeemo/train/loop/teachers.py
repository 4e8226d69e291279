"""The teachers of a distillation: trained models, loaded and checked."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgeemo.errors import TrainingError
from edgeemo.model.folder import ModelFolder
from edgeemo.model.keras import (
    find_reference_model,
    hash_reference_model,
    load_keras,
    load_reference_model,
)
from edgeemo.train.report.evaluation import check_probabilities, predict_split
from edgeemo.utils.files import sha256_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from edgeemo.model.spec import ModelSpec
    from edgeemo.train.data.pipeline import Pixels
    from edgeemo.train.options.options import TrainOptions

_TRIAL_IMAGES = 64
"""Training images on which a teacher's outputs are checked first."""


@dataclass(frozen=True, kw_only=True)
class Teacher:
    """A model to learn from.

    Attributes:
        path: The model folder or ``.keras`` file, as given.
        sha256: SHA-256 of the model's file.
        labels: Its labels in the order of its outputs; None for a file, which names none.
        model: The frozen Keras model, from [0, 1] to probabilities.
    """

    path: Path
    sha256: str
    labels: tuple[str, ...] | None
    model: Any


def load_teachers(options: TrainOptions) -> tuple[Teacher, ...]:
    """Load the teachers that the options name.

    Raises:
        TrainingError: If one takes images of another shape than the network.
        ModelFolderError: If one cannot be loaded.
        MissingExtraError: If TensorFlow is not installed.
    """
    return tuple(_load_teacher(path, options) for path in options.teacher)


def check_teachers(teachers: Iterable[Teacher], spec: ModelSpec) -> None:
    """Refuse teachers of other labels.

    Args:
        teachers: The loaded teachers.
        spec: Spec of the network.

    Raises:
        TrainingError: If one has other labels, or another order of them; the text names them.
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
    """Refuse teachers whose outputs for the first images are not probabilities.

    Args:
        teachers: The loaded teachers.
        pixels: The training split.
        spec: Spec of the network.

    Raises:
        TrainingError: If the outputs of one are not.
    """
    for teacher in teachers:
        outputs = predict_split(teacher.model, pixels.head(_TRIAL_IMAGES), spec=spec)
        try:
            check_probabilities(outputs, spec)
        except TrainingError as error:
            raise TrainingError(f"{teacher.path}: {error}") from None


def check_same_teachers(
    teachers: Iterable[Teacher], recorded: Mapping[str, str], *, out: Path
) -> None:
    """Refuse to resume a training with other teachers.

    Args:
        teachers: The loaded teachers.
        recorded: The hashes of `hash_teachers` when the training started.
        out: The model folder to make, for the message.

    Raises:
        TrainingError: If one has changed.
    """
    for path, sha256 in hash_teachers(teachers).items():
        if recorded.get(path) != sha256:
            raise TrainingError(
                f"{out}: the teacher {path} changed since the training started; restore it, or "
                "start over with --force"
            )


def hash_teachers(teachers: Iterable[Teacher]) -> dict[str, str]:
    """Return the SHA-256 of each teacher's file, by path."""
    return {str(teacher.path): teacher.sha256 for teacher in teachers}


def pack_teachers(teachers: Iterable[Teacher]) -> tuple[bytes, ...]:
    """Return the content of a ``.keras`` file of each teacher, for `unpack_teachers`."""
    contents = []
    with tempfile.TemporaryDirectory(prefix="edgeemo-") as folder:
        path = Path(folder, "teacher.keras")
        for teacher in teachers:
            teacher.model.save(path)
            contents.append(path.read_bytes())
    return tuple(contents)


def unpack_teachers(contents: Iterable[bytes], options: TrainOptions) -> tuple[Teacher, ...]:
    """Return the teachers of the options, which `pack_teachers` packed on another machine."""
    teachers = []
    with tempfile.TemporaryDirectory(prefix="edgeemo-") as folder:
        copy = Path(folder, "teacher.keras")
        for path, content in zip(options.teacher, contents, strict=True):
            copy.write_bytes(content)
            teachers.append(Teacher(path=path, sha256="", labels=None, model=load_keras(copy)))
    return tuple(teachers)


def _load_teacher(path: Path, options: TrainOptions) -> Teacher:
    if path.is_dir():
        folder = ModelFolder(path)
        model, labels = load_reference_model(folder), folder.read_spec().labels
        sha256 = hash_reference_model(find_reference_model(folder))
    else:
        model, labels, sha256 = load_keras(path), None, sha256_file(path)
    model.trainable = False  # so that no gradient is kept for it
    expected = (options.side, options.side, options.channels)
    found = tuple(model.input_shape[1:])
    if found != expected:
        raise TrainingError(
            f"{path}: a teacher for images of shape {found}, where the network takes {expected}; "
            "train both with the same --size and --channels"
        )
    return Teacher(path=path, sha256=sha256, labels=labels, model=model)
