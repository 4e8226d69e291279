"""The test figures of each of several collections apart."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edgeemo.metrics import ClassificationReport, measure_classification
from edgeemo.model.tables import SPLITS
from edgeemo.report.document import Section, Table, Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from edgeemo.dataset import CollectionPart
    from edgeemo.train.report.content import IllustratedReport
    from edgeemo.train.report.evaluation import Evaluation
    from edgeemo.train.report.inputs import FolderContents


@dataclass(frozen=True, kw_only=True)
class CollectionReport:
    """One of several collections, and the quality of the predictions on its test images.

    Attributes:
        name: Its name, with which the paths of its images begin.
        source: The folder or .zip, as given.
        weight: Factor of its images in the loss of the training.
        classes_with_shares: Classes that are trained on only, with the shares of the labels.
        brought_splits: Whether it has splits of its own.
        counts: Number of images by split.
        test: Quality of the predictions on its test images.
    """

    name: str
    source: str
    weight: float
    classes_with_shares: Mapping[str, Mapping[str, float]]
    brought_splits: bool
    counts: Mapping[str, int]
    test: ClassificationReport


def report_collections(
    contents: FolderContents, evaluation: Evaluation
) -> tuple[CollectionReport, ...]:
    """Report each collection of a model folder; none of one folder of images.

    Args:
        contents: The contents of the model folder.
        evaluation: Evaluation of the test split.
    """
    return tuple(
        _report_collection(each, contents, evaluation) for each in contents.dataset.collections
    )


def _report_collection(
    part: CollectionPart, contents: FolderContents, evaluation: Evaluation
) -> CollectionReport:
    labels = contents.spec.labels
    own = np.array([part.owns(sample) for sample in contents.test_samples], np.bool_)
    counts = Counter(sample.split for sample in contents.dataset.samples if part.owns(sample))
    return CollectionReport(
        name=part.name,
        source=str(part.path),
        weight=part.weight,
        classes_with_shares={
            name: dict(zip(labels, shares, strict=True)) for name, shares in part.soft.items()
        },
        brought_splits=part.brought_splits,
        counts={split: counts[split] for split in SPLITS},
        test=measure_classification(
            evaluation.truth[own],
            evaluation.predicted[own],
            evaluation.scores[own],
            labels=labels,
            seed=contents.origin.seed,
        ),
    )


def describe_collections(page: IllustratedReport) -> list[Section]:
    """Return the section on the collections; none for one folder of images."""
    collections = page.report.collections
    if not collections:
        return []
    images = [
        [
            each.name,
            *(f"{each.counts[split]:,}" for split in SPLITS),
            f"{each.weight:g}",
            "its own" if each.brought_splits else "by groups",
        ]
        for each in collections
    ]
    quality = [
        [each.name, str(each.test.accuracy), str(each.test.macro.recall), f"{each.test.n:,}"]
        for each in collections
    ]
    return [
        Section(
            "Collections",
            [
                Table(["collection", *SPLITS, "weight in the loss", "splits"], images),
                *(Text(text) for text in _describe_shares(page)),
                Text("Test results of each collection apart:"),
                Table(["collection", "accuracy", "recall, mean of the classes", "n"], quality),
            ],
        )
    ]


def _describe_shares(page: IllustratedReport) -> Iterator[str]:
    for each in page.report.collections:
        for name, shares in each.classes_with_shares.items():
            listed = ", ".join(f"{share:g} {label}" for label, share in shares.items() if share)
            yield f"{each.name}: images of {name} are trained on as {listed}, and not tested on."
