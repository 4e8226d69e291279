"""Write down what a bundle holds; `edgeemo.bundle.device.contents` reads it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgeemo import __version__
from edgeemo.bundle.device.contents import MANIFEST_VERSION, Golden, Manifest
from edgeemo.bundle.device.machine import versions
from edgeemo.folder import ModelFolder
from edgeemo.verified import VERIFY_JSON, is_verified

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edgeemo.container import SealedModel
    from edgeemo.runtime.engine import Engine

_FLOAT_TOLERANCE = 1e-6
"""How far a float answer may be off on another processor; int8 answers have to be identical."""


def describe(
    model: SealedModel, engine: Engine, goldens: Sequence[Golden], members: Mapping[str, bytes]
) -> Manifest:
    """What a bundle says of itself.

    Args:
        model: The exported file.
        engine: What gave the golden answers.
        goldens: The golden answers.
        members: Every other member of the bundle.
    """
    name = Path(model.path).name
    return Manifest(
        edgeemo=__version__,
        model=name,
        model_sha256=model.sha256,
        engine=engine.name.partition(" ")[0],
        verified=is_verified(model.path, sha256=model.sha256),
        verification=_verification(model),
        tolerance=0.0 if name.startswith("int8.") else _FLOAT_TOLERANCE,
        built_with=versions(engine),
        golden=tuple(goldens),
        members={each: hashlib.sha256(members[each]).hexdigest() for each in sorted(members)},
    )


def to_json(manifest: Manifest) -> bytes:
    """The manifest as the bundle holds it; the same bytes for the same manifest."""
    fields = {"version": MANIFEST_VERSION, **asdict(manifest)}
    return json.dumps(fields, indent=1, ensure_ascii=False, allow_nan=False).encode()


def _verification(model: SealedModel) -> dict[str, Any] | None:
    """These bytes' entry in ``verify.json``, without the names of people's pictures."""
    entries = ModelFolder(Path(model.path).parent).read_json(VERIFY_JSON).get("files", [])
    for entry in entries:
        if entry.get("sha256") == model.sha256:
            measured = dict(entry.get("measured") or {})
            measured.pop("flips", None)
            return {**entry, "measured": measured}
    return None
