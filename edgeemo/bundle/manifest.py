"""Describe the contents of a bundle; `edgeemo.bundle.device.contents` reads it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

from edgeemo import __version__
from edgeemo.bundle.device.contents import MANIFEST_VERSION, GoldenImage, Manifest
from edgeemo.bundle.device.faces import find_detector_versions
from edgeemo.model.folder import ModelFolder
from edgeemo.model.verified import find_verification, read_verification
from edgeemo.utils.system import versions

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edgeemo.model.container import SealedModel
    from edgeemo.model.spec import ModelSpec
    from edgeemo.runtime.classifier import Classifier

_FLOAT_TOLERANCE = 1e-6
"""Minimum tolerance of a float output on another processor."""

_SOFTMAX_STEP = 1 / 256
"""Tolerance of the int8 output of a softmax, one step of it: processors round its exponentials
differently. On FER2013's test images the emulated Pis differed by that, and not in a label. Every
other int8 output has to be identical."""

_ROUNDINGS = 4
"""Multiple of the largest difference between float32 and the reference model that a float output
may differ: the reach of this network's rounding. A tiny network differed by 1.3e-6 with nothing
wrong."""


def describe_model(
    model: SealedModel, classifier: Classifier, *, goldens: Sequence[GoldenImage]
) -> Manifest:
    """Describe one file of a bundle, without a fallback and the other members.

    Args:
        model: The exported file.
        classifier: The classifier of the golden images, with the face settings of the device.
        goldens: The golden images and their outputs.
    """
    path = Path(model.path)
    name, verification = path.name, find_verification(model.path, sha256=model.sha256)
    engine, faces = classifier.engine, classifier.spec.faces
    detector = faces.detector if faces else ""
    return Manifest(
        edgeemo=__version__,
        model=name,
        model_sha256=model.sha256,
        engine=engine.name.partition(" ")[0],
        threads=ModelFolder(path.parent).choose_threads(name),
        verified=bool(verification and verification.passed),
        verification=verification.figures if verification else None,
        tolerance=_find_tolerance(path, classifier.spec),
        built_with=versions(engine.name) | find_detector_versions(detector),
        golden=tuple(goldens),
        members={},
        faces=faces,
        detector=detector,
        adopted=model.spec.adopted is not None,
    )


def complete_manifest(
    first: Manifest, fallback: Manifest | None, *, members: Mapping[str, bytes]
) -> Manifest:
    """Return the manifest of a whole bundle.

    Args:
        first: Of its file.
        fallback: Of its fallback, or None.
        members: Every other member of the bundle.
    """
    return replace(
        first,
        fallback=fallback and replace(fallback, fallback_for=first.model),
        members={each: hashlib.sha256(members[each]).hexdigest() for each in sorted(members)},
    )


def to_json(manifest: Manifest) -> bytes:
    """Return the manifest as a member of the bundle; the same bytes for the same manifest."""
    fields = {"version": MANIFEST_VERSION, **asdict(manifest)}
    return json.dumps(fields, indent=1, ensure_ascii=False, allow_nan=False).encode()


def _find_tolerance(file: Path, spec: ModelSpec) -> float:
    """Return the tolerance of a file's outputs on another processor."""
    if spec.adopted:
        return _SOFTMAX_STEP if file.name.startswith("int8.") else _FLOAT_TOLERANCE
    if file.name.startswith("int8."):
        return _SOFTMAX_STEP if spec.activation == "softmax" else 0.0
    rounding = [
        each.max_difference or 0.0
        for each in read_verification(file.parent)
        if each.kind == "float32" and each.passed
    ]
    return max(_FLOAT_TOLERANCE, _ROUNDINGS * max(rounding, default=0.0))
