"""Findings: what to act on and what to look at in a folder of images."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from edgeemo.dataset.check.report import Finding
from edgeemo.utils.text import join_and, plural

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edgeemo.dataset.check.report import CheckReport
    from edgeemo.dataset.check.shortcuts import Shortcut

IMBALANCE = 3
"""Smallest ratio of the largest to the smallest class that is a finding."""

FEW = 100
"""Smallest number of usable images of a class that is no finding."""


def derive_findings(check: CheckReport) -> tuple[Finding, ...]:
    """Return the findings of a check, the most urgent first; `check.findings` is not read."""
    found = [
        *_find_layout(check),
        *_find_unusable(check),
        *_find_excluded(check),
        *map(_describe_shortcut, (one for one in check.shortcuts if one.flagged)),
        *_find_processing(check),
        *_find_imbalance(check),
        *_find_near_duplicates(check),
        *_find_suspicious_labels(check),
        *_find_faces(check),
    ]
    return tuple(sorted(found, key=lambda finding: finding.level != "act"))


def _find_layout(check: CheckReport) -> Iterator[Finding]:
    for warning in check.layout:
        yield (_act if warning.is_certain else _look)("layout", 1, warning.text)


def _find_unusable(check: CheckReport) -> Iterator[Finding]:
    if check.unusable:
        reasons = Counter(row.reason for row in check.unusable)
        words = ", ".join(f"{count:,} {reason}" for reason, count in reasons.most_common())
        files = plural(len(check.unusable), "file")
        text = f"{files} cannot be used ({words}); 'data clean' excludes them"
        yield _act("unusable", len(check.unusable), text)
    if check.disguised:
        files = plural(len(check.disguised), "file has", "files have")
        text = f"{files} another format than the name says; some programs cannot read them"
        yield _look("disguised", len(check.disguised), text)
    if check.odd:
        reasons = Counter(row.reason for row in check.odd)
        words = ", ".join(f"{count:,} {reason}" for reason, count in reasons.most_common())
        images = plural(len(check.odd), "image is", "images are")
        yield _look("odd", len(check.odd), f"{images} odd ({words}): look at them")


def _find_excluded(check: CheckReport) -> Iterator[Finding]:
    reasons = Counter(row.reason for row in check.excluded)
    sentences = {
        "two-classes": "in two classes; 'data review' decides, 'data clean' excludes all of them",
        "leak": "also in a later split (a leak); 'data clean' excludes them",
        "duplicate": "a copy of another; 'data clean' keeps one of each",
    }
    for reason, text in sentences.items():
        if count := reasons[reason]:
            yield _act(reason, count, f"{plural(count, 'image is', 'images are')} {text}")


def _describe_shortcut(shortcut: Shortcut) -> Finding:
    text = (
        f"{shortcut.measure} alone separates {shortcut.label} from the rest with an AUC of "
        f"{shortcut.auc:.2f} ({shortcut.low:.2f} to {shortcut.high:.2f}): {shortcut.meaning}, "
        "which a network learns more easily than faces"
    )
    return _act(f"shortcut-{shortcut.measure.replace(' ', '-')}", 1, text)


def _find_processing(check: CheckReport) -> Iterator[Finding]:
    for one in check.processing:
        if one.is_large:
            make = _act if one.changes_light else _look
            yield make(one.kind, one.count, one.text)


def _find_imbalance(check: CheckReport) -> Iterator[Finding]:
    sizes = check.per_class
    if len(sizes) < 2:
        text = "fewer than two classes: make one sub-folder per class"
        yield _act("no-classes", 1, text)
        return
    smallest, largest = min(sizes, key=sizes.__getitem__), max(sizes, key=sizes.__getitem__)
    if sizes[smallest] < 2:
        images = plural(sizes[smallest], "usable image")
        yield _act("too-few", sizes[smallest], f"{smallest} has {images}; at least 2 are required")
        return
    few = [label for label, size in sizes.items() if size < FEW]
    if few:
        text = f"fewer than {FEW} usable images in {join_and(few)}: wide intervals of all figures"
        yield _look("few", len(few), text)
    if sizes[largest] >= IMBALANCE * sizes[smallest]:
        text = (
            f"{largest} has {sizes[largest] / sizes[smallest]:.1f} times the images of "
            f"{smallest}: a network prefers the larger class, and accuracy hides that"
        )
        yield _look("imbalance", 1, text)


def _find_near_duplicates(check: CheckReport) -> Iterator[Finding]:
    near = [group for group in check.near_duplicates if not group.identical]
    if not near:
        return
    images = sum(len(group.paths) for group in near)
    across = sum(group.across_classes for group in near)
    text = (
        f"{plural(images, 'image is', 'images are')} near-duplicates "
        f"({images / check.usable:.0%}), in {plural(len(near), 'group')}; edgeemo "
        "keeps each group in one split, a random split would leak"
    )
    yield _look("near-duplicates", images, text)
    if across:
        text = f"{plural(across, 'group')} of near-duplicates in several classes: check the labels"
        yield _look("near-duplicates-across-classes", across, text)


def _find_suspicious_labels(check: CheckReport) -> Iterator[Finding]:
    suspects, accuracy = check.label_check.suspects, check.label_check.accuracy
    if suspects:
        text = (
            f"{plural(len(suspects), 'label is', 'labels are')} suspicious: contradicted by a "
            f"simple classifier with a balanced accuracy of {accuracy:.0%} ('data review')"
        )
        yield _look("suspicious-labels", len(suspects), text)


def _find_faces(check: CheckReport) -> Iterator[Finding]:
    sample = check.face_sample
    if sample and sample.has_crops:
        text = f"{sample.text}: crops of faces, which 'train' takes whole"
        yield _look("crops", sample.with_face, text)
    elif sample and sample.has_faces:
        text = f"{sample.text}: 'train' takes the faces unless --no-faces is given"
        yield _look("photos-with-faces", sample.with_face, text)
    if check.faces and check.faces.none:
        count = len(check.faces.none)
        text = (
            f"{check.faces.detector or 'the detector'} detects no face in "
            f"{plural(count, 'image')} ({count / check.usable:.0%}): a network "
            "can learn only the background there"
        )
        yield _look("no-face", count, text)
    if check.faces and check.faces.several:
        images = plural(check.faces.several, "image has", "images have")
        text = (
            f"{images} several faces, but the label is about one of them; 'data crop' and "
            "'train --faces' use the largest"
        )
        yield _look("several-faces", check.faces.several, text)


def _act(name: str, count: int, text: str) -> Finding:
    return Finding(level="act", name=name, count=count, text=text)


def _look(name: str, count: int, text: str) -> Finding:
    return Finding(level="look", name=name, count=count, text=text)
