"""Mode auto: the options of a training that are not given, chosen from the images.

Each choice is noted with its reason. The choices that decide how images are read come before the
ingest (`choose_network`), the others after it (`choose_training`).
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from edgeemo.model.folder import SHIPPED
from edgeemo.train.networks.start import find_start
from edgeemo.train.options.choices import Augment, Mode, Schedule, Weights
from edgeemo.train.options.options import KEYS
from edgeemo.utils.serialize import to_plain
from edgeemo.utils.text import join_and, plural

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgeemo.dataset import Dataset, FaceSample
    from edgeemo.train.options.options import TrainOptions
    from edgeemo.utils.progress import Progress

_FACE_SCORE = 0.7  # that of happy-sad; see docs/faces.md on its effect
_IMBALANCE = 1.5  # largest to smallest class
_LARGE_SIDE = 64  # median shorter side from which on images are reduced to 96 pixels, not 48
_GREY = 0.9  # share of grey images from which on the network is grey


@dataclass(frozen=True, kw_only=True)
class _Plan:
    """How long to train, and how.

    Attributes:
        frozen_epochs: Epochs of the last layer alone.
        epochs: Largest number of epochs.
        early_stopping: Epochs without improvement after which training ends.
        lr: Initial learning rate.
    """

    frozen_epochs: int
    epochs: int
    early_stopping: int
    lr: float


_SAME_CLASSES = _Plan(frozen_epochs=3, epochs=40, early_stopping=10, lr=0.003)
_OTHER_CLASSES = _Plan(frozen_epochs=3, epochs=40, early_stopping=10, lr=0.01)
_INT8_AWARE = _Plan(frozen_epochs=0, epochs=5, early_stopping=0, lr=0.001)
_FROM_RANDOM = _Plan(frozen_epochs=0, epochs=80, early_stopping=20, lr=0.003)


class Chooser:
    """Chooses options and notes each choice.

    Args:
        options: The options as given; those in their `undecided` are chosen.
        progress: Receives a note for each choice.

    Attributes:
        options: The options as chosen so far.
    """

    def __init__(self, options: TrainOptions, progress: Progress) -> None:
        self.options, self._progress = options, progress

    def is_open(self, name: str) -> bool:
        """Return whether an option is to be chosen."""
        return name in (self.options.undecided or ())

    def choose(self, reason: str, **values: Any) -> None:
        """Choose the values of options; those that are given stay.

        Args:
            reason: Reason of the choice.
            values: Names of options to values.
        """
        chosen = {name: value for name, value in values.items() if self.is_open(name)}
        if not chosen:
            return
        left = (self.options.undecided or frozenset()) - set(chosen)
        words = " ".join(_spell(name, value) for name, value in chosen.items())
        line = f"auto: {words}: {reason}"
        reasons = (*self.options.reasons, line)
        self.options = replace(self.options, **chosen, undecided=left, reasons=reasons)
        self._progress.note(line)


def choose_faces(options: TrainOptions, sample: FaceSample, progress: Progress) -> TrainOptions:
    """Return the options with faces decided by a sample of the images.

    In mode auto they are chosen; in mode plain a note says what was found, and images stay whole.

    Args:
        options: The options; `faces` is None.
        sample: The faces in a sample of the images.
        progress: Receives a note.
    """
    if options.mode is not Mode.AUTO:
        if sample.has_faces:
            remedy = "--faces --cropped tells the model" if sample.has_crops else "--faces"
            progress.note(f"{sample.text}: images are taken whole; {remedy} takes the faces")
        return replace(options, faces=False)
    chooser = Chooser(options, progress)
    found = f"{sample.text} (searched in {sample.seconds:.1f} s)"
    if sample.has_crops:
        reason = f"{found}: crops of faces, so the model detects faces in photos"
        margin = _find_margin(sample)
        chooser.choose(reason, faces=True, cropped=True, face_margin=margin, face_score=_FACE_SCORE)
    elif sample.has_faces:
        reason = f"{found}: trains on the largest, and excludes images without one"
        chooser.choose(reason, faces=True, face_score=_FACE_SCORE)
    else:
        chooser.choose(f"{found}: images are taken whole", faces=False)
    return replace(chooser.options, faces=bool(chooser.options.faces))


def choose_network(
    options: TrainOptions, sample: FaceSample | None, progress: Progress
) -> TrainOptions:
    """Return the options with network, input and pretrained start chosen, in mode auto.

    Args:
        options: The options; faces are decided.
        sample: A sample of the images; None where nothing was to be decided by it.
        progress: Receives a note for each choice.

    Raises:
        TrainingError: If a given option does not fit the pretrained start that is given.
    """
    chooser = Chooser(options, progress)
    if options.faces and chooser.is_open("from_"):
        _choose_face_network(chooser)
    elif options.from_ not in (Weights.NONE, Weights.IMAGENET):
        _follow_start(chooser)
    chooser.choose("random initial weights: no pretrained network fits", from_=Weights.NONE)
    chooser.choose("the smallest network that is accurate", arch=chooser.options.arch)
    large = sample is not None and sample.shorter_side > _LARGE_SIDE and not options.faces
    shown = f"the shorter side of the images has {sample.shorter_side} pixels" if sample else ""
    chooser.choose(shown or "the network's own", size=96 if large else 48)
    if sample and sample.grey >= _GREY:
        chooser.choose("the images are grey", channels=1)
    chooser.choose("the images have colours", channels=3)
    return chooser.options


def choose_training(options: TrainOptions, dataset: Dataset, progress: Progress) -> TrainOptions:
    """Return the options with the course of the training chosen, in mode auto.

    Args:
        options: The options; the network is chosen.
        dataset: The images.
        progress: Receives a note for each choice.
    """
    chooser = Chooser(options, progress)
    train = dataset.in_split("train")
    images = plural(len(train), "training image")
    pretrained = options.from_ != Weights.NONE
    plan = _choose_plan(options, dataset.labels)
    if pretrained:
        chooser.choose("the last layer first", frozen_epochs=plan.frozen_epochs)
    augment = Augment.LIGHT if options.int8_aware else Augment.STRONG
    chooser.choose(f"{images}, changed anew in every epoch", augment=augment)
    counts = Counter(sample.label for sample in train)
    ratio = max(counts.values()) / min(counts.values())
    words = f"the largest class has {ratio:.1f} times the images of the smallest"
    chooser.choose(words, class_weights=ratio >= _IMBALANCE)
    chooser.choose(f"{images}", batch_size=_choose_batch(len(train)))
    chooser.choose(
        "until the validation loss no longer falls",
        epochs=plan.epochs,
        early_stopping=plan.early_stopping,
    )
    chooser.choose(
        "falls to 0" + (f"; {plan.lr / 10:g} for the pretrained layers" if pretrained else ""),
        lr=plan.lr,
        schedule=Schedule.COSINE,
    )
    return replace(chooser.options, undecided=frozenset())


def _choose_plan(options: TrainOptions, labels: Sequence[str]) -> _Plan:
    if options.from_ == Weights.NONE:
        return _FROM_RANDOM
    if options.int8_aware:
        return _INT8_AWARE
    known = None if options.from_ == Weights.IMAGENET else find_start(options.from_).labels
    return _SAME_CLASSES if known and set(labels) <= set(known) else _OTHER_CLASSES


def _choose_face_network(chooser: Chooser) -> None:
    start = find_start(SHIPPED)
    options = chooser.options
    fitting = {"arch": start.arch, "size": 48, "channels": 1}
    given = [name for name, value in fitting.items() if _is_given_otherwise(chooser, name, value)]
    if given:
        words = join_and([_spell(name, getattr(options, name)) for name in given])
        chooser.choose(f"random initial weights: {SHIPPED} does not fit {words}", from_="none")
        return
    known = "keeps its last layer where it knows all classes"
    chooser.choose(f"faces start from the included model, which {known}", from_=Weights.HAPPY_SAD)
    chooser.choose(f"that of {SHIPPED}", **fitting)


def _follow_start(chooser: Chooser) -> None:
    start = find_start(chooser.options.from_)
    shape = start.input_shape
    if start.arch:
        chooser.choose(f"that of {start.name}", arch=start.arch)
    if shape:
        chooser.choose(f"that of {start.name}", size=shape[0], channels=shape[2])


def _is_given_otherwise(chooser: Chooser, name: str, value: Any) -> bool:
    return not chooser.is_open(name) and getattr(chooser.options, name) not in (value, None)


def _find_margin(sample: FaceSample) -> float:
    """Return the share of a face's side that the crops have around it, in twentieths."""
    around = (1 / math.sqrt(sample.face_area) - 1) / 2
    return round(around * 20) / 20


def _choose_batch(images: int) -> int:
    return 32 if images < 4_000 else 64 if images < 20_000 else 128


def _spell(name: str, value: Any) -> str:
    """Return an option as the command line spells it."""
    key = next(key for key, each in KEYS.items() if each == name).replace("_", "-")
    if isinstance(value, bool):
        return f"--{key}" if value else f"--no-{key}"
    return f"--{key} {to_plain(value)}"
