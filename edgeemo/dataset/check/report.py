"""The report of a check, as data. Standard library only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from edgeemo.dataset.check.groups import DuplicateGroup
    from edgeemo.dataset.check.labels import LabelCheck
    from edgeemo.dataset.check.shortcuts import Shortcut
    from edgeemo.dataset.face_sample import FaceSample
    from edgeemo.dataset.ingest.splits import LayoutWarning
    from edgeemo.dataset.processing.shares import ProcessingShare
    from edgeemo.model.tables import Rejected


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A finding about the folder.

    Attributes:
        level: "act" if it makes figures from this folder misleading, "look" if a person has to
            decide.
        name: Name of the kind of finding, such as "two-classes".
        count: Number of images, groups or measures concerned.
        text: The finding and the remedy, in a sentence.
    """

    level: Literal["act", "look"]
    name: str
    count: int
    text: str


@dataclass(frozen=True, kw_only=True)
class ImageSizes:
    """Sizes of the usable images.

    Attributes:
        smallest: Width and height of the image with the fewest pixels.
        median: Width and height of the image with the median number of pixels.
        largest: Width and height of the image with the most pixels.
        different: Number of different sizes.
        bytes: Size of all files together.
    """

    smallest: tuple[int, int]
    median: tuple[int, int]
    largest: tuple[int, int]
    different: int
    bytes: int


@dataclass(frozen=True, kw_only=True)
class FaceCounts:
    """Numbers of images by their detected faces.

    Attributes:
        detector: Name of the face detector; empty if not given.
        one: Number of images with one face.
        several: Number of images with several faces.
        none: Paths of the images without a face.
        share_per_class: Share of the images of each class with at least one face.
    """

    detector: str
    one: int
    several: int
    none: tuple[str, ...]
    share_per_class: Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class CheckReport:
    """The check of a folder.

    Attributes:
        root: The folder.
        labels: Classes of the folder.
        splits: Splits of the folder; empty if it has none.
        found: Number of files in the class folders.
        usable: Number of usable images, copies included.
        counts: Number of usable images per split ("all" without splits) and class.
        formats: Number of files per format; "none" for no image.
        modes: Number of usable images per colour mode, as Pillow names them.
        sizes: Sizes of the usable images; None without images.
        unusable: Files that cannot be used, with the reasons.
        disguised: Files whose extension stands for another format than the content has.
        processed: Usable images that were processed, with the kind and the measured value; an
            image may have several.
        processing: Share of the images of each kind of processing.
        odd: Usable images to look at: tiny, very long or of hardly any contrast.
        identical: Groups of identical files.
        near_duplicates: Groups of copies and near-duplicates.
        excluded: Usable images that training and `edgeemo data clean` exclude: copies, images in
            two classes, and leaks between splits.
        shortcuts: Numbers that separate the classes, the strongest first.
        label_check: Suspicious labels.
        faces: Numbers of images by their faces; None without a face detector.
        face_sample: Faces in a sample of the images; None with a face detector.
        faces_skipped: Reason why no faces were detected in the other images.
        findings: The findings, those to act on first.
        layout: Doubts about the classes.
    """

    DERIVED: ClassVar[tuple[str, ...]] = ("needs_action",)

    root: Path
    labels: tuple[str, ...]
    splits: tuple[str, ...]
    found: int
    usable: int
    counts: Mapping[str, Mapping[str, int]]
    formats: Mapping[str, int]
    modes: Mapping[str, int]
    sizes: ImageSizes | None
    unusable: tuple[Rejected, ...]
    disguised: tuple[Rejected, ...]
    processed: tuple[Rejected, ...]
    processing: tuple[ProcessingShare, ...]
    odd: tuple[Rejected, ...]
    identical: tuple[DuplicateGroup, ...]
    near_duplicates: tuple[DuplicateGroup, ...]
    excluded: tuple[Rejected, ...]
    shortcuts: tuple[Shortcut, ...]
    label_check: LabelCheck
    faces: FaceCounts | None
    face_sample: FaceSample | None
    faces_skipped: str
    findings: tuple[Finding, ...]
    layout: tuple[LayoutWarning, ...] = ()

    @property
    def per_class(self) -> dict[str, int]:
        """Return the number of usable images of each class."""
        return {
            label: sum(counts.get(label, 0) for counts in self.counts.values())
            for label in self.labels
        }

    @property
    def needs_action(self) -> bool:
        """Return whether there is a finding to act on."""
        return any(finding.level == "act" for finding in self.findings)
