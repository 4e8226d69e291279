"""``edgeemo data``: check, clean, split and draw pictures. No TensorFlow."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from edgeemo.cli.console import EXAMPLES, print_facts, print_json, say, warn
from edgeemo.cli.data_tables import print_check, print_written
from edgeemo.cli.options import Force, Json, names, number
from edgeemo.cli.progress import progress

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edgeemo.dataset.placing import Link
    from edgeemo.faces import FaceFinder

_Source: TypeAlias = Annotated[
    Path, typer.Argument(metavar="DIR|ZIP", help="The pictures: one folder per class, or a .zip.")
]
_Out: TypeAlias = Annotated[Path, typer.Option("--out", metavar="DIR", help="The folder to make.")]
_Accept: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--accept",
        metavar="A,B",
        help="Formats to take besides JPEG, PNG and BMP: webp, gif.",
        show_default="none",
    ),
]
_Link: TypeAlias = Annotated[
    str,
    typer.Option(
        "--link",
        metavar="HOW",
        help="copy the files, or make hard or symlink links to where they lie.",
    ),
]
_Replace: TypeAlias = Annotated[
    bool, typer.Option("--force", help="Replace a folder that edgeemo wrote itself.")
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    data = typer.Typer(
        name="data",
        help="Check, clean, split or draw pictures.",
        no_args_is_help=True,
        rich_markup_mode=None,
    )
    data.command("check", epilog=_CHECK_EXAMPLES)(check)
    data.command("clean", epilog=_CLEAN_EXAMPLES)(clean)
    data.command("split", epilog=_SPLIT_EXAMPLES)(split)
    data.command("draw", epilog=_DRAW_EXAMPLES)(draw)
    app.add_typer(data)


_CHECK_EXAMPLES = f"""{EXAMPLES}  edgeemo data check faces
  edgeemo data check faces.zip --html faces.html --faces
  edgeemo data check faces --strict --json > faces.json
"""
_CLEAN_EXAMPLES = f"""{EXAMPLES}  edgeemo data clean faces --out faces-clean
  edgeemo data clean faces --out faces-clean --link symlink
"""
_SPLIT_EXAMPLES = f"""{EXAMPLES}  edgeemo data split faces --out faces-split
  edgeemo data split faces --out faces-split --ratios 0.6,0.2,0.2 --seed 1
"""
_DRAW_EXAMPLES = f"""{EXAMPLES}  edgeemo data draw practice
  edgeemo data draw practice --count 2000 --size 64 --seed 7
"""


def check(
    source: _Source,
    accept: _Accept = None,
    faces: Annotated[
        bool, typer.Option("--faces", help="Look for faces, too (needs the faces extra).")
    ] = False,
    html: Annotated[
        Path | None,
        typer.Option("--html", metavar="FILE", help="Write a page with thumbnails, too."),
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="End with status 3 if there is something to act on.")
    ] = False,
    json: Json = False,
) -> None:
    """Say what is in a folder of pictures and what is wrong with it.

    Copies and near-duplicates, pictures in two classes, files that cannot be used, labels in doubt,
    and what tells the classes apart without looking at a face. Nothing in the folder is touched.
    """
    from edgeemo.dataset import IngestOptions, opened_data
    from edgeemo.dataset.check import check as run
    from edgeemo.dataset.check import check_page
    from edgeemo.files import write_file

    formats = IngestOptions(accept=names(accept)).accept
    _require_folder_for(html)
    finder, skipped = _finder(wanted=faces)
    with progress() as shown, opened_data(source) as folder:
        checked = run(folder, accept=formats, finder=finder, faces_skipped=skipped, progress=shown)
        if html is not None:
            write_file(html, check_page(checked, title=str(source), folder=folder, progress=shown))
    if json:
        page = {"html": str(html)} if html else {}
        print_json({**checked.to_dict(), "root": str(source), **page})
    else:
        print_check(checked, title=str(source))
    if html is not None:
        say(f"page: {html}")
    if strict and checked.to_act_on:
        say("strict: there is something to act on")
        raise typer.Exit(3)


def clean(
    source: _Source,
    out: _Out,
    accept: _Accept = None,
    link: _Link = "copy",
    force: _Replace = False,
    json: Json = False,
) -> None:
    """Write the pictures that training would use.

    Left out is what cannot be used, copies but one, and pictures that lie in two classes; where the
    folder brings splits, also what test or validation holds, too. rejected.csv in the new folder
    says what and why. Nothing in the old one is touched.
    """
    from edgeemo.dataset import IngestOptions
    from edgeemo.dataset.rewrite import write_clean

    formats = IngestOptions(accept=names(accept)).accept
    how = _linked(link, source)
    with progress() as shown, _opened(source, out) as folder:
        written = write_clean(folder, out, accept=formats, link=how, replace=force, progress=shown)
    print_written(written, json=json)


def split(
    source: _Source,
    out: _Out,
    ratios: Annotated[
        str,
        typer.Option(metavar="A,B,C", help="Shares of train, validation and test."),
    ] = "0.7,0.2,0.1",
    seed: Annotated[int, typer.Option(metavar="N", min=0, help="Which picture goes where.")] = 0,
    accept: _Accept = None,
    link: _Link = "copy",
    force: _Replace = False,
    json: Json = False,
) -> None:
    """Write the pictures as train, validation and test.

    Near-duplicates stay together, classes keep their shares, and the same seed gives the same
    splits. What a folder brings as validation or test stays that.
    """
    from edgeemo.dataset import IngestOptions
    from edgeemo.dataset.rewrite import write_split

    options = IngestOptions(accept=names(accept), seed=seed, ratios=_shares(ratios))
    how = _linked(link, source)
    with progress() as shown, _opened(source, out) as folder:
        written = write_split(folder, out, options=options, link=how, replace=force, progress=shown)
    print_written(written, json=json)


def draw(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder to make.")],
    count: Annotated[int, typer.Option(metavar="N", min=2, help="Pictures, half of each.")] = 400,
    size: Annotated[
        int, typer.Option(metavar="N", min=16, max=2048, help="Side of a picture in pixels.")
    ] = 256,
    seed: Annotated[
        int, typer.Option(metavar="N", min=0, help="The same seed draws the same pictures.")
    ] = 0,
    force: Force = False,
    json: Json = False,
) -> None:
    """Draw happy and sad practice faces."""
    from edgeemo.dataset import draw_faces
    from edgeemo.dataset.draw import MARKER
    from edgeemo.dataset.placing import check_place

    check_place(None, folder, marker=MARKER, replace=force)
    with progress() as shown:
        draw_faces(folder, count=count, size=size, seed=seed, replace=force, progress=shown)
    if json:
        print_json({"folder": str(folder), "count": count, "size": size, "seed": seed})
        return
    facts = {"pictures": f"{count:,}", "size": f"{size}x{size}", "seed": str(seed)}
    print_facts(facts, title=str(folder))


@contextmanager
def _opened(source: Path, out: Path) -> Iterator[Path]:
    """The folder of pictures; `out` is looked at before an archive is unpacked."""
    from edgeemo.dataset import opened_data

    if out.resolve() == source.resolve():
        raise typer.BadParameter(f"{out} is where the pictures are", param_hint="--out")
    with opened_data(source) as folder:
        yield folder


def _finder(*, wanted: bool) -> tuple[FaceFinder | None, str]:
    """What finds faces, or why nothing does."""
    from edgeemo.errors import MissingExtraError
    from edgeemo.faces import face_finder

    if not wanted:
        return None, "--faces asks for it"
    try:
        return face_finder(), ""
    except MissingExtraError as error:
        warn(str(error))
        return None, str(error)


def _linked(link: str, source: Path) -> Link:
    from edgeemo.dataset.placing import LINKS

    for known in LINKS:
        if link == known:
            if known != "copy" and not source.is_dir():
                raise typer.BadParameter("a .zip can only be copied from", param_hint="--link")
            return known
    raise typer.BadParameter(f"{link!r} is none of {', '.join(LINKS)}", param_hint="--link")


def _shares(text: str) -> tuple[float, float, float]:
    parts = names(text)
    if len(parts) != 3:
        raise typer.BadParameter(f"{text!r} is not three shares", param_hint="--ratios")
    train, validation, test = (number(part) for part in parts)
    return train, validation, test


def _require_folder_for(page: Path | None) -> None:
    if page is not None and (page.is_dir() or not page.parent.is_dir()):
        raise typer.BadParameter(f"{page} is not a file in a folder", param_hint="--html")
