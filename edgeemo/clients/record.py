"""``verify.json`` beside the files for other programs: what each was proved equal to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edgeemo import __version__
from edgeemo.utils.serialize import to_plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgeemo.clients.result import ClientFile


def build_record(files: Sequence[ClientFile]) -> dict[str, Any]:
    """Return the record of the files of a folder.

    It has the keys of a model folder's ``verify.json``, so that the files count as verified, and of
    each file `equality`: the verified file it was made of, and the largest differences from it.
    """
    entries = [_build_entry(file) for file in files]
    passed = all(entry["passed"] for entry in entries)
    return {
        "version": 1,
        "passed": passed,
        "n": files[0].equality.n,
        "edgeemo_version": __version__,
        "files": entries,
    }


def _build_entry(file: ClientFile) -> dict[str, Any]:
    passed = file.form != "frigate" or file.equality.agrees  # the others are equal
    return {
        "passed": passed,
        "file": file.path.name,
        "kind": file.kind,
        "status": "passed" if passed else "failed",
        "sha256": file.sha256,
        "size_bytes": file.size_bytes,
        "engine": file.engine,
        "measured": to_plain(file.measured),
        "equality": {
            "file": file.made_of,
            "sha256": file.made_of_sha256,
            **to_plain(file.equality),
        },
    }
