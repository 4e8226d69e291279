"""``edgeemo data``: check, clean, split, crop and draw images. No TensorFlow."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from edgeemo.cli.commands.data_crop import EXAMPLES_OF_CROP, crop
from edgeemo.cli.options.common import Force, Json, names, number
from edgeemo.cli.options.data import Accept, Out, Replace, Source, opened
from edgeemo.cli.options.faces import FaceDetector, FaceModelFile, FaceScore, face_request
from edgeemo.cli.output.console import EXAMPLES, print_facts, print_json, say, warn
from edgeemo.cli.output.data import print_check, print_written
from edgeemo.cli.output.progress import progress
from edgeemo.errors import EXIT_GATE_FAILED

if TYPE_CHECKING:
    from edgeemo.dataset.write.placement import LinkMode
    from edgeemo.imaging.faces import FaceDetector as Detector
    from edgeemo.model.detector_file import DetectorFile
    from edgeemo.model.face_settings import FaceSettings

_Link: TypeAlias = Annotated[
    str,
    typer.Option(
        "--link",
        metavar="HOW",
        help="copy the files, or make hard or symlink links to where they lie.",
    ),
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    data = typer.Typer(
        name="data",
        help="Check, clean, split, crop or draw images.",
        no_args_is_help=True,
        rich_markup_mode=None,
    )
    data.command("check", epilog=_CHECK_EXAMPLES)(check)
    data.command("clean", epilog=_CLEAN_EXAMPLES)(clean)
    data.command("split", epilog=_SPLIT_EXAMPLES)(split)
    data.command("crop", epilog=EXAMPLES_OF_CROP)(crop)
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
    source: Source,
    accept: Accept = None,
    faces: Annotated[bool, typer.Option("--faces", help="Look for faces, too.")] = False,
    face_detector: FaceDetector = None,
    face_score: FaceScore = None,
    face_model: FaceModelFile = None,
    html: Annotated[
        Path | None,
        typer.Option("--html", metavar="FILE", help="Write a page with thumbnails, too."),
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="End with status 3 if there is something to act on.")
    ] = False,
    json: Json = False,
) -> None:
    """Say what is in a folder of images and what is wrong with it.

    Copies and near-duplicates, images in two classes, files that cannot be used, labels in doubt,
    and what tells the classes apart without looking at a face. Nothing in the folder is touched.
    """
    from edgeemo.dataset import IngestOptions, open_data
    from edgeemo.dataset.check import check_folder as run
    from edgeemo.dataset.check import check_page
    from edgeemo.model.face_settings import FaceSettings
    from edgeemo.utils.files import write_file
    from edgeemo.utils.serialize import to_plain

    formats = IngestOptions(accept=names(accept)).accept
    _require_folder_for(html)
    request = face_request(faces or None, detector=face_detector, score=face_score, file=face_model)
    settings = request.apply(FaceSettings()) if request.enabled else None
    detector, skipped = _build_detector(settings, request.file)
    with progress() as shown, open_data(source) as folder:
        checked = run(
            folder,
            accept=formats,
            detector=detector,
            detector_name=settings.detector if settings else "",
            faces_skipped=skipped,
            progress=shown,
        )
        if html is not None:
            write_file(html, check_page(checked, title=str(source), folder=folder, progress=shown))
    if json:
        page = {"html": str(html)} if html else {}
        print_json({**to_plain(checked), "root": str(source), **page})
    else:
        print_check(checked, title=str(source))
    if html is not None:
        say(f"page: {html}")
    if strict and checked.to_act_on:
        say("strict: there is something to act on")
        raise typer.Exit(EXIT_GATE_FAILED)


def clean(
    source: Source,
    out: Out,
    accept: Accept = None,
    link: _Link = "copy",
    force: Replace = False,
    json: Json = False,
) -> None:
    """Write the images that training would use.

    Left out is what cannot be used, copies but one, and images that lie in two classes; where the
    folder brings splits, also what test or validation holds, too. rejected.csv in the new folder
    says what and why. Nothing in the old one is touched.
    """
    from edgeemo.dataset import IngestOptions
    from edgeemo.dataset.write.rewrite import write_clean

    formats = IngestOptions(accept=names(accept)).accept
    how = _linked(link, source)
    with progress() as shown, opened(source, out) as folder:
        written = write_clean(folder, out, accept=formats, link=how, replace=force, progress=shown)
    print_written(written, json=json)


def split(
    source: Source,
    out: Out,
    ratios: Annotated[
        str,
        typer.Option(metavar="A,B,C", help="Shares of train, validation and test."),
    ] = "0.7,0.2,0.1",
    seed: Annotated[int, typer.Option(metavar="N", min=0, help="Which image goes where.")] = 0,
    accept: Accept = None,
    link: _Link = "copy",
    force: Replace = False,
    json: Json = False,
) -> None:
    """Write the images as train, validation and test.

    Near-duplicates stay together, classes keep their shares, and the same seed gives the same
    splits. What a folder brings as validation or test stays that.
    """
    from edgeemo.dataset import IngestOptions
    from edgeemo.dataset.write.rewrite import write_split

    options = IngestOptions(accept=names(accept), seed=seed, ratios=_shares(ratios))
    how = _linked(link, source)
    with progress() as shown, opened(source, out) as folder:
        written = write_split(folder, out, options=options, link=how, replace=force, progress=shown)
    print_written(written, json=json)


def draw(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder to make.")],
    count: Annotated[int, typer.Option(metavar="N", min=2, help="Images, half of each.")] = 400,
    size: Annotated[
        int, typer.Option(metavar="N", min=16, max=2048, help="Side of an image in pixels.")
    ] = 256,
    seed: Annotated[
        int, typer.Option(metavar="N", min=0, help="The same seed draws the same images.")
    ] = 0,
    force: Force = False,
    json: Json = False,
) -> None:
    """Draw happy and sad practice faces."""
    from edgeemo.dataset import draw_faces
    from edgeemo.dataset.synthetic.draw import PRACTICE_MARKER
    from edgeemo.dataset.write.placement import check_destination

    check_destination(None, folder, marker=PRACTICE_MARKER, replace=force)
    with progress() as shown:
        draw_faces(folder, count=count, size=size, seed=seed, replace=force, progress=shown)
    if json:
        print_json({"folder": str(folder), "count": count, "size": size, "seed": seed})
        return
    facts = {"images": f"{count:,}", "size": f"{size}x{size}", "seed": str(seed)}
    print_facts(facts, title=str(folder))


def _build_detector(
    settings: FaceSettings | None, file: DetectorFile | None
) -> tuple[Detector | None, str]:
    """Return the face detector, or why there is none."""
    from edgeemo.errors import MissingExtraError
    from edgeemo.imaging.faces import build_detector

    if settings is None:
        return None, "--faces asks for it"
    try:
        return build_detector(settings, file=file), ""
    except MissingExtraError as error:
        warn(str(error))
        return None, str(error)


def _linked(link: str, source: Path) -> LinkMode:
    from edgeemo.dataset.write.placement import LINK_MODES
    from edgeemo.utils.suggest import describe_unknown

    for known in LINK_MODES:
        if link == known:
            if known != "copy" and not source.is_dir():
                raise typer.BadParameter("a .zip can only be copied from", param_hint="--link")
            return known
    raise typer.BadParameter(describe_unknown("link", link, LINK_MODES), param_hint="--link")


def _shares(text: str) -> tuple[float, float, float]:
    parts = names(text)
    if len(parts) != 3:
        raise typer.BadParameter(f"{text!r} is not three shares", param_hint="--ratios")
    train, validation, test = (number(part) for part in parts)
    return train, validation, test


def _require_folder_for(page: Path | None) -> None:
    if page is not None and (page.is_dir() or not page.parent.is_dir()):
        raise typer.BadParameter(f"{page} is not a file in a folder", param_hint="--html")
