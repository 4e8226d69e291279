"""``edgeemo verify``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edgeemo.cli.options.common import MODELS, Data, Json
from edgeemo.cli.output.console import EXAMPLES, print_json, print_table, say
from edgeemo.cli.output.progress import progress

if TYPE_CHECKING:
    from edgeemo.model.folder import ModelFolder
    from edgeemo.verify import Gates, Verification

_EXAMPLES = f"""{EXAMPLES}  edgeemo verify
  edgeemo verify models/mine --data /media/faces
  edgeemo verify models/mine --max-flips 0 --json
"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("verify", epilog=_EXAMPLES)(verify)


def verify(
    model: Annotated[
        Path | None,
        typer.Argument(
            metavar="FOLDER", help="A model folder; by default the newest under models/."
        ),
    ] = None,
    data: Data = None,
    float32_max_dp: Annotated[
        float | None,
        typer.Option(
            min=0,
            metavar="P",
            help="Largest |Δp| of float32 files.",
            show_default="1e-5; of a backbone 1e-4",
        ),
    ] = None,
    float16_max_dp: Annotated[
        float | None,
        typer.Option(
            min=0,
            metavar="P",
            help="Largest |Δp| of float16 files.",
            show_default="2e-3; of a backbone 2e-2",
        ),
    ] = None,
    max_flips: Annotated[
        int | None,
        typer.Option(
            min=0,
            metavar="N",
            help="Most labels, and most net extra errors, that int8 and dynamic files may lose.",
            show_default="1 in 100, at least 1",
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Prove that the exported files answer as the original did.

    Every file runs in the engine that ships, from image file to label, over the whole test split.
    Needs no TensorFlow. Exit status 3 when a gate fails.
    """
    from edgeemo.model.folder import TRAINING, newest_folder, open_folder
    from edgeemo.utils.serialize import to_plain
    from edgeemo.verify import Gates, raise_for_gates

    folder = open_folder(model) if model else newest_folder(MODELS)
    gates = Gates.for_architecture(
        folder.read_json(TRAINING).get("arch"),
        float32_max_dp=float32_max_dp,
        float16_max_dp=float16_max_dp,
        max_flips=max_flips,
    )
    report = run_verification(folder, data, gates)
    if json:
        print_json({"folder": folder.path, **to_plain(report)})
    else:
        print_report(folder, report)
    raise_for_gates(report)


def run_verification(
    folder: ModelFolder, data: Path | None, gates: Gates | None = None
) -> Verification:
    """Verify a folder with progress on the screen."""
    from edgeemo.verify import verify as run

    with progress() as shown:
        return run(folder, data=data, gates=gates, progress=shown)


def print_report(folder: ModelFolder, report: Verification) -> None:
    """A verification as a table, and the verdict."""
    from edgeemo.model.folder import VERIFY_MD

    print_table(report.HEADER, report.rows(), title=f"{folder.path}", numbers_from=2)
    for note in report.notes:
        say(f"note: {note}")
    if report.passed:
        say(report.verdict)
    say(f"report: {folder.file(VERIFY_MD)}")
