"""``edgeemo data split``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from edgeemo.cli.command import command
from edgeemo.cli.options.data import LinkingArguments
from edgeemo.cli.options.usage import refuse_options
from edgeemo.cli.output.data import print_written
from edgeemo.cli.output.progress import progress
from edgeemo.train.options.shared import MAX_SEED, RATIOS
from edgeemo.utils.options import Option


@dataclass(frozen=True, kw_only=True)
class SplitArguments(LinkingArguments):
    """Options of ``edgeemo data split``."""

    ratios: Annotated[tuple[float, float, float], RATIOS] = (0.7, 0.2, 0.1)
    seed: Annotated[int, Option("Seed of the split.", minimum=0, maximum=MAX_SEED)] = 0


@command(
    "edgeemo data split faces --out faces-split",
    "edgeemo data split faces --out faces-split --ratios 0.6,0.2,0.2 --seed 1",
)
def split(given: SplitArguments) -> None:
    """Write the images as train, validation and test.

    Near-duplicates stay together, classes keep their shares, and the same seed gives the same
    splits. What a folder has as validation or test stays that.
    """
    from edgeemo.dataset import IngestOptions
    from edgeemo.dataset.write import write_split

    with refuse_options():
        options = IngestOptions(
            classes=given.classes,
            accept=given.accept,
            seed=given.seed,
            ratios=given.ratios,
            decisions=given.read_decisions(),
        )
    given.check_link()
    with progress() as shown, given.open_source() as folder:
        written = write_split(
            folder, given.out, options=options, link=given.link, replace=given.force, progress=shown
        )
    print_written(written, json=given.json)
