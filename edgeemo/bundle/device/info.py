"""``python3 NAME.pyz info``: show the contents; needs nothing but Python."""

from __future__ import annotations

import sys
from dataclasses import asdict
from json import dumps
from typing import TYPE_CHECKING, Any

from edgeemo.bundle.device.faces import select_faces
from edgeemo.bundle.device.load import read_model
from edgeemo.model.spec import NOT_SURE
from edgeemo.utils.system import describe_machine
from edgeemo.utils.text import escape_controls

if TYPE_CHECKING:
    from edgeemo.bundle.device.contents import Contents, Manifest
    from edgeemo.model.container import SealedModel
    from edgeemo.model.face_settings import FaceSettings


def run(contents: Contents, *, json: bool) -> int:
    """Print the contents, and the machine.

    Args:
        contents: The bundle.
        json: Whether to print one JSON object.

    Returns:
        Exit status: 0.
    """
    model = read_model(contents)
    faces = select_faces(contents, model.spec.faces, enabled=None)
    if json:
        shown: dict[str, Any] = {
            **asdict(contents.manifest),
            "faces": asdict(faces) if faces else None,
            "spec": asdict(model.spec),
            "machine": describe_machine(),
        }
        sys.stdout.write(dumps(shown, indent=2) + "\n")
        return 0
    facts = {**_list_facts(contents.manifest, model, faces), **describe_machine()}
    width = max(map(len, facts)) + 2
    for name, value in facts.items():
        sys.stdout.write(f"{name:<{width}}{escape_controls(value)}\n")
    return 0


def describe_verification(manifest: Manifest) -> str:
    """Return the outcome of the verification, in words."""
    if manifest.adopted:
        from edgeemo.model.adoption import ADOPTED

        return ADOPTED
    if not manifest.verified:
        return "NOT verified against its reference model"
    found = manifest.verified_file
    images = f" on {found.n:,} test images" if found and found.n else ""
    return f"verified: within the gates of its reference model{images}"


def _list_facts(
    manifest: Manifest, model: SealedModel, faces: FaceSettings | None
) -> dict[str, str]:
    spec, fallback = model.spec, manifest.fallback
    facts = {
        "model": f"{manifest.model} ({model.size_bytes / 1000:,.1f} kB)",
        "sha256": model.sha256,
        "verification": describe_verification(manifest),
        "labels": ", ".join(spec.labels),
        "input": f"{spec.width}x{spec.height}, {'grey' if spec.channels == 1 else 'RGB'}",
        "faces": f"detected by {faces.text}; each predicted" if faces else "",
        NOT_SURE: f"below a confidence of {spec.min_confidence:.3f}" if spec.min_confidence else "",
        "background": spec.background or "",
        "engine": manifest.engine,
        "fallback": f"{fallback.model} on {fallback.engine}; {describe_verification(fallback)}"
        if fallback
        else "",
        "made with": ", ".join(f"{name} {text}" for name, text in manifest.built_with.items()),
        "made by": f"edgeemo {manifest.edgeemo}",
        "golden": f"{len(manifest.golden)} images",
    }
    return {name: text for name, text in facts.items() if text}
