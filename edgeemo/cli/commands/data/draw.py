"""``edgeemo data draw``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from edgeemo.cli.command import command
from edgeemo.cli.options.common import Force, Json
from edgeemo.cli.output.console import print_facts, print_json
from edgeemo.cli.output.progress import progress
from edgeemo.utils.options import Argument, Option


@dataclass(frozen=True, kw_only=True)
class DrawArguments:
    """Options of ``edgeemo data draw``."""

    folder: Annotated[Path, Argument("Folder to make.", metavar="DIR")]
    count: Annotated[int, Option("Number of images, half of each class.", minimum=2)] = 400
    size: Annotated[
        int, Option("Height and width of an image in pixels.", minimum=16, maximum=2048)
    ] = 256
    seed: Annotated[int, Option("Seed of the images.", minimum=0)] = 0
    force: Force = False
    json: Json = False


@command("edgeemo data draw practice", "edgeemo data draw practice --count 2000 --size 64 --seed 7")
def draw(given: DrawArguments) -> None:
    """Draw happy and sad practice faces."""
    from edgeemo.dataset import draw_faces
    from edgeemo.dataset.synthetic import PRACTICE_MARKER
    from edgeemo.dataset.write import check_destination

    count, size, seed = given.count, given.size, given.seed
    check_destination(None, given.folder, marker=PRACTICE_MARKER, replace=given.force)
    with progress() as shown:
        draw_faces(
            given.folder, count=count, size=size, seed=seed, replace=given.force, progress=shown
        )
    if given.json:
        print_json({"folder": str(given.folder), "count": count, "size": size, "seed": seed})
        return
    facts = {"images": f"{count:,}", "size": f"{size}x{size}", "seed": str(seed)}
    print_facts(facts, title=given.folder)
