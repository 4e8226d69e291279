"""Write down what a bundle holds; `edgeemo.bundle.device.contents` reads it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgeemo import __version__
from edgeemo.bundle.device.contents import MANIFEST_VERSION, Golden, Manifest
from edgeemo.bundle.device.faces import detector_versions
from edgeemo.model.folder import ModelFolder
from edgeemo.model.verified import VERIFY_JSON, is_verified
from edgeemo.utils.system import versions

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edgeemo.model.container import SealedModel
    from edgeemo.runtime.classifier import Classifier

_FLOAT_TOLERANCE = 1e-6
"""How far a float answer may be off on another processor; int8 answers have to be identical."""

_ROUNDINGS = 4
"""Or that many times the largest difference by which float32 differs from the original already: as
far as this network's rounding reaches. A tiny one was seen to be 1.3e-6 off with nothing wrong."""


def describe(model: SealedModel, classifier: Classifier, goldens: Sequence[Golden]) -> Manifest:
    """What a bundle says of a file that it holds; nothing yet of a fallback and its members.

    Args:
        model: The exported file.
        classifier: What gave the golden answers, with the faces found as on the device.
        goldens: The golden answers.
    """
    path = Path(model.path)
    name = path.name
    engine, faces = classifier.engine, classifier.spec.faces
    detector = faces.detector if faces else ""
    return Manifest(
        edgeemo=__version__,
        model=name,
        model_sha256=model.sha256,
        engine=engine.name.partition(" ")[0],
        threads=ModelFolder(path.parent).threads_for(name),
        verified=is_verified(model.path, sha256=model.sha256),
        verification=_verification(model),
        tolerance=0.0 if name.startswith("int8.") else _float_tolerance(path.parent),
        built_with=versions(engine.name) | detector_versions(detector),
        golden=tuple(goldens),
        members={},
        faces=faces,
        detector=detector,
    )


def describe_all(
    first: Manifest, fallback: Manifest | None, members: Mapping[str, bytes]
) -> Manifest:
    """What a bundle says of itself.

    Args:
        first: Of the file that it runs.
        fallback: Of the one that it runs where it cannot run the first.
        members: Every other member of the bundle.
    """
    return replace(
        first,
        fallback=fallback and replace(fallback, fallback_for=first.model),
        members={each: hashlib.sha256(members[each]).hexdigest() for each in sorted(members)},
    )


def to_json(manifest: Manifest) -> bytes:
    """The manifest as the bundle holds it; the same bytes for the same manifest."""
    fields = {"version": MANIFEST_VERSION, **asdict(manifest)}
    return json.dumps(fields, indent=1, ensure_ascii=False, allow_nan=False).encode()


def _float_tolerance(folder: Path) -> float:
    """How far a float answer of this network may be off on another processor."""
    rounding = [
        float((entry.get("measured") or {}).get("max_difference", 0))
        for entry in _verified_files(folder)
        if entry.get("kind") == "float32" and entry.get("passed")
    ]
    return max(_FLOAT_TOLERANCE, _ROUNDINGS * max(rounding, default=0.0))


def _verified_files(folder: Path) -> list[dict[str, Any]]:
    """The entries of ``verify.json``."""
    return list(ModelFolder(folder).read_json(VERIFY_JSON).get("files", []))


def _verification(model: SealedModel) -> dict[str, Any] | None:
    """These bytes' entry in ``verify.json``, without the names of people's images."""
    for entry in _verified_files(Path(model.path).parent):
        if entry.get("sha256") == model.sha256:
            measured = dict(entry.get("measured") or {})
            measured.pop("flips", None)
            return {**entry, "measured": measured}
    return None
