"""``edgeemo verify``."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from edgeemo.cli.command import command
from edgeemo.cli.default_model import require_folder
from edgeemo.cli.options.common import MODELS, Data, Html, Json, check_html
from edgeemo.cli.output.console import note, print_json
from edgeemo.cli.output.doubt import warn_of_doubt
from edgeemo.cli.output.progress import progress
from edgeemo.cli.output.verify import print_verification
from edgeemo.utils.options import Argument, Option

if TYPE_CHECKING:
    from edgeemo.model.folder import ModelFolder
    from edgeemo.verify import Gates, Verification

_gate = partial(Option, group="Gates")


@dataclass(frozen=True, kw_only=True)
class VerifyArguments:
    """Options of ``edgeemo verify``."""

    model: Annotated[
        Path | None,
        Argument("Model folder; by default the newest under models/.", metavar="FOLDER"),
    ] = None
    data: Data = None
    html: Html = None
    json: Json = False
    float32_max_dp: Annotated[
        float | None,
        _gate(
            "Maximum |Δp| of a float32 file.",
            metavar="P",
            default="1e-5; of a backbone 1e-4",
            minimum=0,
        ),
    ] = None
    float16_max_dp: Annotated[
        float | None,
        _gate(
            "Maximum |Δp| of a float16 file.",
            metavar="P",
            default="2e-3; of a backbone 2e-2",
            minimum=0,
        ),
    ] = None
    max_flips: Annotated[
        int | None,
        _gate(
            "Maximum number of flipped labels, and of net additional errors, of an int8 or dynamic "
            "file.",
            default="1 in 100",
            minimum=0,
        ),
    ] = None


@command(
    "edgeemo verify",
    "edgeemo verify models/mine --data /media/faces",
    "edgeemo verify models/mine --html verification.html",
    "edgeemo verify models/mine --max-flips 0 --json",
)
def verify(given: VerifyArguments) -> None:
    """Prove that exported files predict as the reference model.

    Every file runs in the engine that ships, from image file to label, over the whole test split.
    Needs no TensorFlow. Exit status 3 when a gate fails. Stricter gates than the folder's own are
    only reported: its files stay verified. Looser ones are recorded.
    """
    from edgeemo.dataset import check_source
    from edgeemo.model.folder import find_newest_folder, open_folder
    from edgeemo.utils.extras import require_packages
    from edgeemo.utils.serialize import to_plain
    from edgeemo.verify import Gates, raise_for_gates

    if given.model:
        require_folder(given.model)
    check_html(given.html)
    if given.html:
        require_packages(("jinja2",), purpose="--html")
    if given.data:
        check_source(given.data)
    folder = open_folder(given.model) if given.model else find_newest_folder(MODELS)
    training = folder.read_training()
    own = Gates.for_architecture(training.arch, rounding=training.rounding)
    gates = Gates.for_architecture(
        training.arch,
        rounding=training.rounding,
        float32_max_dp=given.float32_max_dp,
        float16_max_dp=given.float16_max_dp,
        max_flips=given.max_flips,
    )
    report = run_verification(folder, given.data, gates)
    if given.html:
        _write_page(given.html, folder, report)
    if given.json:
        written = {"html": str(given.html)} if given.html else {}
        print_json({"folder": folder.path, **to_plain(report), **written})
    else:
        print_verification(folder, report)
    if given.html:
        note(f"page: {given.html}")
    if own.loosen(gates, report.n) != gates:
        note("the folder's own gates are looser; verify.json and verify.md judge by those")
    warn_of_doubt(folder)
    raise_for_gates(report)


def _write_page(path: Path, folder: ModelFolder, report: Verification) -> None:
    """Write the verification as a page that holds its images."""
    from edgeemo.report.html import to_html
    from edgeemo.utils.files import write_file
    from edgeemo.verify.document import build_document
    from edgeemo.verify.quantised import read_quantised

    quantised = read_quantised(folder, report)
    document = build_document(report, name=folder.path.resolve().name, quantised=quantised)
    write_file(path, to_html(document, folder=folder.path))


def run_verification(
    folder: ModelFolder, data: Path | None, gates: Gates | None = None
) -> Verification:
    """Verify a folder with progress on the screen."""
    from edgeemo.verify import verify as run

    with progress() as shown:
        return run(folder, data=data, gates=gates, progress=shown)
