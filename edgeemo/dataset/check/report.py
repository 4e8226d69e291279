"""The check of a folder as data. Standard library only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from edgeemo.dataset.check.groups import DuplicateGroup
    from edgeemo.dataset.check.labels import LabelCheck
    from edgeemo.dataset.check.shortcuts import Shortcut
    from edgeemo.model.tables import Rejected


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One finding about the folder.

    Attributes:
        level: "act" if it makes figures from this folder misleading, "look" if a person should
            decide.
        name: Kind of finding, such as "two-classes".
        count: Number of images, groups or measures.
        text: Description and remedy, in a sentence.
    """

    level: Literal["act", "look"]
    name: str
    count: int
    text: str


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """Sizes of the usable images.

    Attributes:
        smallest: Width and height of the image with the fewest pixels.
        median: Width and height of the median image by number of pixels.
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
    """Numbers of faces that a detector found.

    Attributes:
        detector: Name of the detector; empty if it is unknown.
        one: Number of images with one face.
        several: Number of images with more.
        none: Paths of the images without a face.
        share_per_class: Share of the images of each class with a face.
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
        labels: Its classes.
        splits: Its splits.
        found: Number of files in the class folders.
        usable: Number of usable images, copies included.
        counts: Number of usable images by split ("all" without splits) and class.
        formats: Number of files by format; "none" for a file that is no image.
        modes: Number of usable images by mode, as Pillow names them.
        sizes: Sizes of the usable images; None without any.
        unusable: Files that cannot be trained with, and the reasons.
        disguised: Files whose name has the suffix of another format, and both formats.
        odd: Usable images to look at: tiny, faint or very long.
        identical: Groups of identical files.
        alike: Groups of copies and near-duplicates.
        excluded: Usable images that training and `edgeemo data clean` exclude: copies, images in
            two classes, and images that leak between splits.
        shortcuts: Numbers that separate the classes without a face, the worst first.
        mislabels: Images that may have the wrong label.
        faces: Numbers of faces; None if none were detected.
        faces_skipped: Reason for detecting no faces.
        findings: Findings, those to act on first.
    """

    DERIVED: ClassVar[tuple[str, ...]] = ("to_act_on",)

    root: Path
    labels: tuple[str, ...]
    splits: tuple[str, ...]
    found: int
    usable: int
    counts: Mapping[str, Mapping[str, int]]
    formats: Mapping[str, int]
    modes: Mapping[str, int]
    sizes: Sizes | None
    unusable: tuple[Rejected, ...]
    disguised: tuple[Rejected, ...]
    odd: tuple[Rejected, ...]
    identical: tuple[DuplicateGroup, ...]
    alike: tuple[DuplicateGroup, ...]
    excluded: tuple[Rejected, ...]
    shortcuts: tuple[Shortcut, ...]
    mislabels: LabelCheck
    faces: FaceCounts | None
    faces_skipped: str
    findings: tuple[Finding, ...]

    @property
    def per_class(self) -> dict[str, int]:
        """Return the number of usable images of each class."""
        return {
            label: sum(counts.get(label, 0) for counts in self.counts.values())
            for label in self.labels
        }

    @property
    def to_act_on(self) -> bool:
        """Return whether there is a finding to act on."""
        return any(finding.level == "act" for finding in self.findings)
