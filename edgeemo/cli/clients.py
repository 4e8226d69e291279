"""``edgeemo export --client``: files for other programs, of files that are exported already."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from edgeemo.cli.options.common import MODELS
from edgeemo.cli.output.clients import print_clients
from edgeemo.cli.output.console import print_json
from edgeemo.cli.output.progress import progress

if TYPE_CHECKING:
    from edgeemo.clients import ClientExport, ClientOptions
    from edgeemo.export import ExportOptions
    from edgeemo.model.folder import ModelFolder


def find_shipped(model: Path | None) -> ModelFolder | None:
    """Return the folder of a shipped model that is named; None of another model."""
    from edgeemo.model.folder import is_shipped_name, shipped_folder

    return shipped_folder(str(model)) if model and is_shipped_name(model) else None


def has_files(folder: ModelFolder, options: ExportOptions) -> bool:
    """Return whether a model folder was exported, with every kind of file besides float32."""
    others = [name for name in options.file_names if not name.startswith("float32.")]
    exported = [path for path in folder.list_exported() if path.suffix[1:] in options.formats]
    return bool(exported) and all(folder.file(name).exists() for name in others)


def is_verified(folder: ModelFolder, options: ClientOptions) -> bool:
    """Return whether every exported file of the formats is verified."""
    from edgeemo.model.verified import is_verified as is_file_verified
    from edgeemo.utils.files import sha256_file

    files = [path for path in folder.list_exported() if path.suffix[1:] in options.formats]
    return all(is_file_verified(path, sha256=sha256_file(path)) for path in files)


def make_clients(folder: ModelFolder, options: ClientOptions, data: Path | None) -> ClientExport:
    """Make the files for other programs; those of a shipped model under `MODELS`."""
    from edgeemo.clients import export_clients

    out = MODELS / f"{folder.path.name}-client" if folder.is_shipped else None
    with progress() as shown:
        return export_clients(folder, options=options, out=out, data=data, progress=shown)


def export_existing(
    folder: ModelFolder, options: ClientOptions, data: Path | None, *, json: bool
) -> None:
    """Make the files for other programs of the files that are there, and print them.

    Files that are not verified are verified first.

    Raises:
        ParityError: If that verification fails.
    """
    from edgeemo.cli.commands.verify import run_verification
    from edgeemo.verify import raise_for_gates

    folder.refuse_adopted()
    if not folder.is_shipped and not is_verified(folder, options):
        raise_for_gates(run_verification(folder, data))
    made = make_clients(folder, options, data)
    if json:
        print_json({"folder": folder.path, "exported": [], "clients": made})
    else:
        print_clients(made)
