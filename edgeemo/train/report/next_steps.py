"""The next steps: what the report found, and the command that acts on it."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeemo.metrics.intervals import Z
from edgeemo.model.folder import SHIPPED
from edgeemo.train.options.choices import Mode
from edgeemo.utils.text import plural

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from edgeemo.metrics import ClassificationReport
    from edgeemo.train.report.content import TrainingReport

FEW_TEST, FEW_PER_CLASS = 100, 100
"""Numbers of test images, and of training images of a class, below which there are too few."""

_OVERFITTING = 0.1
"""Accuracy on the training split minus that on the validation split that is overfitting."""
_ABOUT_IMAGES = ("classes", "labels", "accept", "review")
"""Options that a training in mode auto on the same images takes over."""
_REACH = 0.05
"""Width of an interval to either side that a small test split is measured against."""
_STRONGER = {"none": "light", "light": "strong"}
"""Augmentation to the next stronger one."""


@dataclass(frozen=True, kw_only=True)
class NextStep:
    """A finding and the command that acts on it.

    Attributes:
        finding: What was found and what to do, in sentences.
        command: The command to type.
    """

    finding: str
    command: str


def suggest_next_steps(report: TrainingReport) -> tuple[NextStep, ...]:
    """Return what to do next, the most important step first; at least one.

    Args:
        report: The report, whose own steps are not read.
    """
    finders: tuple[Callable[[TrainingReport], Iterator[NextStep]], ...] = (
        _use_faces,
        _use_pretrained,
        _beat_chance,
        _leave_background,
        _review_labels,
        _finish_training,
        _stop_overfitting,
        _add_images,
    )
    found: dict[str, str] = {}  # findings by command: some have one remedy
    for step in (step for find in finders for step in find(report)):
        found[step.command] = f"{found.get(step.command, '')} {step.finding}".strip()
    if not found:
        return (_export(report),)
    return tuple(NextStep(finding=text, command=command) for command, text in found.items())


def is_chance(test: ClassificationReport) -> bool:
    """Return whether a model is not shown to be better than always predicting one class."""
    return test.n > 0 and test.accuracy.low <= most_common_share(test)


def most_common_share(test: ClassificationReport) -> float:
    """Return the share of the test images of the most frequent class, 0 to 1."""
    return max(each.support for each in test.per_class.values()) / test.n


def _use_faces(report: TrainingReport) -> Iterator[NextStep]:
    faces = report.faces
    if faces is not None and _ignores_faces(report):
        yield NextStep(
            finding=(
                f"{faces.with_face:,} of {faces.images:,} test images show a face, but the network "
                "was trained on whole images, where a face is small and the background is not. "
                "Train on the faces."
            ),
            command=_train_auto(report),
        )


def _ignores_faces(report: TrainingReport) -> bool:
    """Return whether the images are photos of faces, and the network takes them whole."""
    faces = report.faces
    return report.model.faces is None and faces is not None and faces.are_photos


def _use_pretrained(report: TrainingReport) -> Iterator[NextStep]:
    found = report.pretrained
    if found is None or not found.is_better:
        return
    better = (
        f"{found.name}, which edgeemo includes, is better on {found.where}: "
        f"{found.paired.candidate.value:.3f} against {found.paired.reference.value:.3f}."
    )
    if found.name == SHIPPED and not _is_auto(report):
        yield NextStep(finding=f"{better} Start from it.", command=_train_auto(report))
    else:
        yield NextStep(
            finding=f"{better} Use it until a model of your own is better.",
            command=_join("edgeemo", "predict", *_list_sources(report)[:1], "--model", found.name),
        )


def _beat_chance(report: TrainingReport) -> Iterator[NextStep]:
    if is_chance(report.test):
        share = most_common_share(report.test)
        yield NextStep(
            finding=(
                "The model is not shown to be better than always predicting one class, which would "
                f"be right for {share:.0%} of the test images. See what is wrong with the images."
            ),
            command=_join(
                "edgeemo", "data", "check", *_list_sources(report)[:1], "--html", "check.html"
            ),
        )


def _leave_background(report: TrainingReport) -> Iterator[NextStep]:
    found = report.attention
    if found is not None and found.is_border:
        yield NextStep(
            finding=(
                f"The network looks at the border of the images: {found.border_share:.0%} of what "
                f"decides lies in {found.border_area:.0%} of their area. See whether the "
                "background tells the classes apart."
            ),
            command=_join(
                "edgeemo", "data", "check", *_list_sources(report)[:1], "--html", "check.html"
            ),
        )


def _review_labels(report: TrainingReport) -> Iterator[NextStep]:
    count, images = len(report.doubtful_labels), report.test.n + report.validation.n
    if count >= max(2, 0.01 * images):
        yield NextStep(
            finding=(
                f"{count:,} test and validation images look mislabelled: the model predicts "
                "another class with a confidence of at least 90 %. Decide which labels are right."
            ),
            command=_join("edgeemo", "data", "review", *_list_sources(report)[:1]),
        )


def _finish_training(report: TrainingReport) -> Iterator[NextStep]:
    fit = report.fit
    if fit is None:
        return
    if fit.interrupted:
        finding = f"The training was interrupted after {fit.epochs_run} of {fit.epochs} epochs."
        yield NextStep(
            finding=f"{finding} Train to the end.", command=_train_again(report, "again")
        )
    elif fit.best_epoch == fit.epochs_run > 1 and not fit.stopped_early:
        yield NextStep(
            finding=(
                f"The loss was still falling in the last epoch, {fit.epochs_run}: the training is "
                "not finished. Train longer."
            ),
            command=_train_again(report, "longer", "--epochs", str(2 * fit.epochs)),
        )


def _stop_overfitting(report: TrainingReport) -> Iterator[NextStep]:
    accuracy = report.fit.train_accuracy if report.fit else None
    held_out = report.validation if report.validation.n else report.test
    if accuracy is None or not held_out.n or accuracy <= held_out.accuracy.high:
        return
    stronger = _STRONGER.get(str(report.config.get("augment", "")))
    if accuracy - held_out.accuracy.value < _OVERFITTING or stronger is None:
        return
    yield NextStep(
        finding=(
            f"The network is right for {accuracy:.0%} of the training images and for "
            f"{held_out.accuracy.value:.0%} of others: it overfits. More images help, and random "
            "changes to those that there are."
        ),
        command=_train_again(report, stronger, "--augment", stronger),
    )


def _add_images(report: TrainingReport) -> Iterator[NextStep]:
    train = report.data.counts.get("train", {})
    few = [label for label, count in train.items() if count < FEW_PER_CLASS]
    reasons = [*_describe_few_test(report.test), *_describe_few_train(train, few)]
    if reasons:
        where = " and ".join(_list_sources(report))
        yield NextStep(
            finding=f"{' '.join(reasons)} Add images to {where}, and train again.",
            command=_train_again(report, "more"),
        )


def _describe_few_test(test: ClassificationReport) -> Iterator[str]:
    if test.n >= FEW_TEST:
        return
    if test.n == 0:
        yield "There is no test image."
        return
    around = max(test.accuracy.high - test.accuracy.value, test.accuracy.value - test.accuracy.low)
    value = min(test.accuracy.value, 0.95)
    needed = Z**2 * value * (1 - value) / _REACH**2 if value > 0.5 else Z**2 / 4 / _REACH**2
    yield (
        f"{plural(test.n, 'test image shows', 'test images show')} the accuracy to within "
        f"{100 * around:.0f} percentage points; to within 5 takes about {needed:,.0f}."
    )


def _describe_few_train(train: Mapping[str, int], few: Sequence[str]) -> Iterator[str]:
    if len(few) == 1:
        yield f"Only {train[few[0]]:,} training images are of {few[0]}."
    elif few:
        listed = ", ".join(f"{train[label]:,} of {label}" for label in few)
        yield f"There are few training images: {listed}."


def _export(report: TrainingReport) -> NextStep:
    return NextStep(
        finding="Nothing stands against using the model. Export it for the device.",
        command=_join("edgeemo", "export", _name_folder(report), "--int8"),
    )


def _train_again(report: TrainingReport, suffix: str, *changes: str) -> str:
    """Return the command of a training with the same options but for some, beside this one."""
    folder = _name_folder(report)
    out = ("--out", f"{folder}-{suffix}")
    if report.fit is None:
        sources = (part for each in _list_sources(report) for part in ("--data", each))
        return _join("edgeemo", "train", *sources, *changes, *out)
    return _join("edgeemo", "train", "--config", f"{folder}/config.toml", *changes, *out)


def _is_auto(report: TrainingReport) -> bool:
    return report.config.get("mode") == Mode.AUTO


def _train_auto(report: TrainingReport) -> str:
    """Return the command of a training in mode auto on the same images, beside this one."""
    words = [word for each in _list_sources(report) for word in ("--data", each)]
    for name in _ABOUT_IMAGES:
        value = report.config.get(name)
        if value:
            given = value if isinstance(value, str) else ",".join(map(str, value))
            words += [f"--{name.replace('_', '-')}", given]
    faces = ("--faces",) if _ignores_faces(report) else ()
    out = ("--out", f"{_name_folder(report)}-auto")
    return _join("edgeemo", "train", *words, *faces, *out)


def _name_folder(report: TrainingReport) -> str:
    return report.folder.rstrip("/") or report.name


def _list_sources(report: TrainingReport) -> Sequence[str]:
    return report.data.paths or (report.data.source,)


def _join(*words: str) -> str:
    return shlex.join(words)
