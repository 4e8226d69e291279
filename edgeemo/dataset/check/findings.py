"""From what was measured to what a person should know and do."""

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
"""How many times as large as the smallest class the largest one may be before it is mentioned."""

FEW = 100
"""Usable images of a class below which that is mentioned."""


def derive_findings(check: CheckReport) -> tuple[Finding, ...]:
    """Return the findings of a check, the most urgent first; `check.findings` is not read."""
    found = [
        *_broken(check),
        *_left_out(check),
        *map(_shortcut, (one for one in check.shortcuts if one.flagged)),
        *_balance(check),
        *_alike(check),
        *_doubtful(check),
        *_faces(check),
    ]
    return tuple(sorted(found, key=lambda finding: finding.level != "act"))


def _broken(check: CheckReport) -> Iterator[Finding]:
    if check.unusable:
        reasons = Counter(row.reason for row in check.unusable)
        words = ", ".join(f"{count:,} {reason}" for reason, count in reasons.most_common())
        files = plural(len(check.unusable), "file")
        yield _act(
            "unusable", len(check.unusable), f"{files} cannot be used ({words}); clean drops them"
        )
    if check.disguised:
        files = plural(len(check.disguised), "file has", "files have")
        text = f"{files} another format than the name says; edgeemo copes, other programs may not"
        yield _look("disguised", len(check.disguised), text)
    if check.odd:
        reasons = Counter(row.reason for row in check.odd)
        words = ", ".join(f"{count:,} {reason}" for reason, count in reasons.most_common())
        images = plural(len(check.odd), "image is", "images are")
        yield _look("odd", len(check.odd), f"{images} odd ({words}): look at them")


def _left_out(check: CheckReport) -> Iterator[Finding]:
    reasons = Counter(row.reason for row in check.excluded)
    sentences = {
        "two-classes": ("image lies", "images lie", "in two classes; clean drops all of them"),
        "leak": ("image is", "images are", "in a later split, too (a leak); clean drops them"),
        "duplicate": ("image is", "images are", "a copy of another; clean keeps one of each"),
    }
    for reason, (one, many, rest) in sentences.items():
        if count := reasons[reason]:
            yield _act(reason, count, f"{plural(count, one, many)} {rest}")


def _shortcut(shortcut: Shortcut) -> Finding:
    text = (
        f"{shortcut.measure} alone separates {shortcut.label} from the rest with an AUC of "
        f"{shortcut.auc:.2f} ({shortcut.low:.2f} to {shortcut.high:.2f}): {shortcut.meaning}, and "
        "a network finds that sooner than a face"
    )
    return _act(f"shortcut-{shortcut.measure.replace(' ', '-')}", 1, text)


def _balance(check: CheckReport) -> Iterator[Finding]:
    sizes = check.per_class
    if len(sizes) < 2:
        text = "there are fewer than two classes here: make one sub-folder per class"
        yield _act("no-classes", 1, text)
        return
    smallest, largest = min(sizes, key=sizes.__getitem__), max(sizes, key=sizes.__getitem__)
    if sizes[smallest] < 2:
        images = plural(sizes[smallest], "usable image")
        yield _act("too-few", sizes[smallest], f"{smallest} has {images}; it takes at least 2")
        return
    few = [label for label, size in sizes.items() if size < FEW]
    if few:
        text = f"fewer than {FEW} usable images in {join_and(few)}: no figure will be certain"
        yield _look("few", len(few), text)
    if sizes[largest] >= IMBALANCE * sizes[smallest]:
        text = (
            f"{largest} has {sizes[largest] / sizes[smallest]:.1f} times the images of "
            f"{smallest}: a network leans to the larger class, and accuracy flatters it"
        )
        yield _look("imbalance", 1, text)


def _alike(check: CheckReport) -> Iterator[Finding]:
    near = [group for group in check.alike if not group.identical]
    if not near:
        return
    images = sum(len(group.paths) for group in near)
    across = sum(group.across_classes for group in near)
    text = (
        f"{plural(images, 'image is', 'images are')} near-duplicates "
        f"({images / check.usable:.0%}), in {plural(len(near), 'group')}; edgeemo "
        "keeps a group in one split, a random split would test on what it trained on"
    )
    yield _look("near-duplicates", images, text)
    if across:
        text = (
            f"{plural(across, 'group')} of near-duplicates in more than one class: "
            "look which is right"
        )
        yield _look("near-duplicates-across-classes", across, text)


def _doubtful(check: CheckReport) -> Iterator[Finding]:
    suspects, accuracy = check.mislabels.suspects, check.mislabels.accuracy
    if suspects:
        text = (
            f"{plural(len(suspects), 'label is', 'labels are')} contradicted by a simple "
            f"classifier, itself right on {accuracy:.0%}: a suspicion, the strongest first"
        )
        yield _look("mislabels", len(suspects), text)


def _faces(check: CheckReport) -> Iterator[Finding]:
    if check.faces and check.faces.none:
        count = len(check.faces.none)
        text = (
            f"{check.faces.detector or 'the detector'} finds no face in "
            f"{plural(count, 'image')} ({count / check.usable:.0%}): what is left "
            "to learn there is the background"
        )
        yield _look("no-face", count, text)
    if check.faces and check.faces.several:
        images = plural(check.faces.several, "image has", "images have")
        text = (
            f"{images} more than one face: the label can mean only one of them; 'data crop' and "
            "'train --faces' take the largest"
        )
        yield _look("several-faces", check.faces.several, text)


def _act(name: str, count: int, text: str) -> Finding:
    return Finding(level="act", name=name, count=count, text=text)


def _look(name: str, count: int, text: str) -> Finding:
    return Finding(level="look", name=name, count=count, text=text)
