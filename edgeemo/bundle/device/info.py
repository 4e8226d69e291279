"""``python3 NAME.pyz info``: needs nothing but Python."""

from __future__ import annotations

import sys
from dataclasses import asdict
from json import dumps
from typing import TYPE_CHECKING, Any

from edgeemo.bundle.device.faces import select_faces
from edgeemo.bundle.device.load import sealed_model
from edgeemo.model.spec import NOT_SURE
from edgeemo.utils.system import describe_machine

if TYPE_CHECKING:
    from edgeemo.bundle.device.contents import Contents, Manifest
    from edgeemo.model.container import SealedModel
    from edgeemo.model.face_settings import FaceSettings


def run(contents: Contents, *, json: bool) -> int:
    """Print what is inside, and on what machine.

    Returns:
        Exit status: 0.
    """
    model = sealed_model(contents)
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
    facts = {**_facts(contents.manifest, model, faces), **describe_machine()}
    width = max(map(len, facts)) + 2
    sys.stdout.writelines(f"{name:<{width}}{value}\n" for name, value in facts.items())
    return 0


def verification_text(manifest: Manifest) -> str:
    """The outcome of the verification, in words."""
    if not manifest.verified:
        return "NOT verified against its original"
    measured = (manifest.verification or {}).get("measured") or {}
    images = f" on {measured['n']:,} test images" if "n" in measured else ""
    return f"verified: within the gates of its original{images}"


def _facts(manifest: Manifest, model: SealedModel, faces: FaceSettings | None) -> dict[str, str]:
    spec = model.spec
    return {
        "model": f"{manifest.model} ({model.size_bytes / 1000:,.1f} kB)",
        "sha256": model.sha256,
        "verification": verification_text(manifest),
        "labels": ", ".join(spec.labels),
        "input": f"{spec.width}x{spec.height}, {'grey' if spec.channels == 1 else 'RGB'}",
        **_face_facts(faces),
        **_confidence_facts(model),
        "engine": manifest.engine,
        **_fallback_facts(manifest),
        "made with": ", ".join(f"{name} {text}" for name, text in manifest.built_with.items()),
        "made by": f"edgeemo {manifest.edgeemo}",
        "golden": f"{len(manifest.golden)} images",
    }


def _confidence_facts(model: SealedModel) -> dict[str, str]:
    least = model.spec.min_confidence
    return {NOT_SURE: f"below a confidence of {least:.3f}"} if least else {}


def _face_facts(faces: FaceSettings | None) -> dict[str, str]:
    if faces is None:
        return {}
    return {"faces": f"found by {faces.text}; each answered"}


def _fallback_facts(manifest: Manifest) -> dict[str, str]:
    fallback = manifest.fallback
    if fallback is None:
        return {}
    return {"fallback": f"{fallback.model} on {fallback.engine}; {verification_text(fallback)}"}
