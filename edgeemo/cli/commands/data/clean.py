"""``edgeemo data clean``."""

from __future__ import annotations

from edgeemo.cli.command import command
from edgeemo.cli.options.data import LinkingArguments
from edgeemo.cli.output.data import print_written
from edgeemo.cli.output.progress import progress


@command(
    "edgeemo data clean faces --out faces-clean",
    "edgeemo data clean faces --out faces-clean --link symlink",
    "edgeemo data clean faces --out faces-clean --review faces-review.csv",
)
def clean(given: LinkingArguments) -> None:
    """Write the images that training would use.

    Left out is what cannot be used, all duplicates but one, and images that lie in two classes;
    where the folder has splits, also what test or validation holds, too. rejected.csv in the new
    folder lists what and why. Nothing in the old one is touched.
    """
    from edgeemo.dataset.write import write_clean

    given.check_selection()
    given.check_link()
    decisions = given.read_decisions()
    with progress() as shown, given.open_source() as folder:
        written = write_clean(
            folder,
            given.out,
            classes=given.classes,
            accept=given.accept,
            decisions=decisions,
            link=given.link,
            replace=given.force,
            progress=shown,
        )
    print_written(written, json=given.json)
