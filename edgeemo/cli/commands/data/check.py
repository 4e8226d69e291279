"""``edgeemo data check``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edgeemo.cli.command import command
from edgeemo.cli.options.bulk import BulkArguments
from edgeemo.cli.options.data import RemoteSourceArguments
from edgeemo.cli.options.faces import DetectorArguments
from edgeemo.cli.output.console import note, print_json, say, warn
from edgeemo.cli.output.data import print_check
from edgeemo.cli.output.progress import progress
from edgeemo.errors import EXIT_GATE_FAILED, OptionError
from edgeemo.train.options.shared import face_option
from edgeemo.utils.options import Option
from edgeemo.utils.serialize import to_plain

if TYPE_CHECKING:
    from edgeemo.dataset.check import CheckReport, InspectWork
    from edgeemo.imaging.faces import FaceDetector
    from edgeemo.model.detector_file import DetectorFile
    from edgeemo.model.face_settings import FaceSettings
    from edgeemo.utils.progress import Progress


@dataclass(frozen=True, kw_only=True)
class CheckArguments(BulkArguments, DetectorArguments, RemoteSourceArguments):
    """Options of ``edgeemo data check``."""

    html: Annotated[Path | None, Option("Page with thumbnails to write, too.", metavar="FILE")] = (
        None
    )
    strict: Annotated[bool, Option("Exit with status 3 if there is something to act on.")] = False
    faces: Annotated[bool, face_option("Find faces, too.")] = False


@command(
    "edgeemo data check faces",
    "edgeemo data check faces.zip --html faces.html --faces",
    "edgeemo data check faces --classes happy,sad",
    "edgeemo data check faces --strict --json > faces.json",
    "edgeemo data check faces --cluster node1:6379 --keep checked/",
)
def check(given: CheckArguments) -> None:
    """Report what is in a folder of images and what is wrong with it.

    Duplicates and near-duplicates, images in two classes, unusable files, suspicious labels, and
    shortcuts: numbers that separate the classes without faces. The folder is not changed.
    """
    from edgeemo.dataset import open_images
    from edgeemo.dataset.check import make_page
    from edgeemo.utils.files import write_file

    html = given.html
    given.check_selection()
    _check(given)
    with progress() as shown, open_images(given.source) as folder:
        checked = _run(given, folder, shown)
        if html is not None:
            page = make_page(checked, title=str(given.source), folder=folder, progress=shown)
            write_file(html, page)
    if given.json:
        written = {name: str(path) for name in ("html", "keep") if (path := getattr(given, name))}
        print_json({**to_plain(checked), "root": str(given.source), **written})
    else:
        print_check(checked, title=str(given.source))
    if html is not None:
        note(f"page: {html}")
    if given.keep is not None:
        note(f"row of each image: {given.keep}")
    if given.strict and checked.needs_action:
        say("strict: there is something to act on")
        raise typer.Exit(EXIT_GATE_FAILED)


def _run(given: CheckArguments, folder: Path, shown: Progress) -> CheckReport:
    """Check a folder, and keep a row of each image where that is requested."""
    from edgeemo.dataset.check import check_files
    from edgeemo.dataset.ingest.find import find_any_files

    work, skipped = _make_work(given, folder)
    with given.open_parts(work) as parts:
        checked = check_files(
            find_any_files(folder, classes=given.classes),
            work,
            place=given.make_place(None),
            parts=parts,
            faces_skipped=skipped,
            progress=shown,
        )
        if parts:
            names = ("found", "usable", "needs_action", "findings")
            parts.complete({name: to_plain(getattr(checked, name)) for name in names})
    return checked


def _make_work(given: CheckArguments, folder: Path) -> tuple[InspectWork, str]:
    """Return the inspection of a folder's files, and why it detects no faces, or ""."""
    from edgeemo.dataset.check import InspectWork
    from edgeemo.model.face_settings import FaceSettings

    request = given.request_faces(given.faces or None)
    settings = request.apply(FaceSettings()) if request.enabled else None
    detector, skipped = _build_detector(settings, request.file)
    work = InspectWork(
        folder,
        accept=given.accept,
        faces=settings if detector else None,
        detector_file=request.file,
        detector=detector,
        source=given.source,
    )
    return work, skipped


def _check(given: CheckArguments) -> None:
    """Refuse what cannot be checked or written, before any slow work."""
    from edgeemo.dataset import check_images
    from edgeemo.utils.extras import IMAGES, require_packages
    from edgeemo.utils.files import check_writable

    html = given.html
    if html is not None and (html.is_dir() or not html.parent.is_dir()):
        raise typer.BadParameter(f"{html} is not a file in a folder", param_hint="--html")
    require_packages(IMAGES, purpose="preparing images")
    check_images(given.source)
    if html is not None:
        require_packages(("jinja2",), purpose="--html")
        check_writable(html.parent)
    given.check_bulk()
    _check_places(given)


def _check_places(given: CheckArguments) -> None:
    """Refuse an archive, which other nodes do not have, and a change of the folder."""
    from zipfile import is_zipfile

    from edgeemo.bulk.bucket_path import BucketPath, make_path

    source, keep = given.source, given.keep
    if given.cluster and not isinstance(source, BucketPath) and is_zipfile(source):
        raise OptionError(f"--cluster requires a folder: unpack {source} where all nodes see it")
    if keep is not None and make_path(keep).resolve().is_relative_to(source.resolve()):
        raise OptionError(f"--keep {keep} is inside {source}, which is not changed")


def _build_detector(
    settings: FaceSettings | None, file: DetectorFile | None
) -> tuple[FaceDetector | None, str]:
    """Return the face detector, or why there is none."""
    from edgeemo.errors import MissingExtraError
    from edgeemo.imaging.faces import build_detector

    if settings is None:
        return None, "--faces searches all"
    try:
        return build_detector(settings, file=file), ""
    except MissingExtraError as error:
        warn(str(error))
        return None, str(error)
