"""What a check of a folder says, as data. Standard library only."""

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
    """One thing to know about the folder.

    Attributes:
        level: "act" if figures from this folder would mislead as long as it is so, "look" if a
            person should decide.
        name: A few words to find it by, such as "two-classes".
        count: How many images, groups or measures it is about.
        text: What it is and what to do, in a sentence.
    """

    level: Literal["act", "look"]
    name: str
    count: int
    text: str


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """How large the usable images are.

    Attributes:
        smallest: Width and height of the one with the fewest pixels.
        median: Width and height of the one in the middle.
        largest: Width and height of the one with the most pixels.
        different: How many different sizes there are.
        bytes: Of all files together.
    """

    smallest: tuple[int, int]
    median: tuple[int, int]
    largest: tuple[int, int]
    different: int
    bytes: int


@dataclass(frozen=True, kw_only=True)
class FaceCounts:
    """Where a detector found faces.

    Attributes:
        detector: Its name; empty where nobody said.
        one: Images with one face.
        several: Images with more.
        none: Paths of the images in which it found none.
        share_per_class: Share of the images of each class with at least one.
    """

    detector: str
    one: int
    several: int
    none: tuple[str, ...]
    share_per_class: Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class CheckReport:
    """Everything that a check found.

    Attributes:
        root: The folder.
        labels: Its classes.
        splits: The splits that it brings.
        found: Files in the class folders.
        usable: Images that can be trained with, copies included.
        counts: Usable images per split ("all" where the folder brings none) and class.
        formats: Files per format; "none" for what is no image.
        modes: Usable images per mode, as Pillow names them.
        sizes: How large they are; None without any.
        unusable: Files that cannot be trained with, and why.
        disguised: Files whose name promises another format than their content has, with both.
        odd: Usable images to look at: tiny, faint or very long.
        identical: Groups of the same bytes.
        alike: Groups of copies and near-duplicates.
        left_out: Usable images that training and `edgeemo data clean` leave out: copies, images
            in two classes, and those that leak between splits.
        shortcuts: What tells the classes apart without looking at a face, the worst first.
        mislabels: Images that may lie in the wrong class.
        faces: Where faces were found; None if nobody looked.
        faces_skipped: Why nobody looked for faces.
        findings: What matters of all this, what to act on first.
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
    left_out: tuple[Rejected, ...]
    shortcuts: tuple[Shortcut, ...]
    mislabels: LabelCheck
    faces: FaceCounts | None
    faces_skipped: str
    findings: tuple[Finding, ...]

    @property
    def per_class(self) -> dict[str, int]:
        """Usable images of each class."""
        return {
            label: sum(counts.get(label, 0) for counts in self.counts.values())
            for label in self.labels
        }

    @property
    def to_act_on(self) -> bool:
        """Whether there is something that should not stay as it is."""
        return any(finding.level == "act" for finding in self.findings)
