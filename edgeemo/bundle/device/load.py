"""From a bundle to its classifier."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from edgeemo.bundle.device.faces import detector_file, select_faces
from edgeemo.bundle.device.fallback import use_fallback
from edgeemo.errors import EngineError
from edgeemo.model.container import unseal_bytes

if TYPE_CHECKING:
    from edgeemo.bundle.device.contents import Contents, Manifest
    from edgeemo.model.container import SealedModel
    from edgeemo.runtime.classifier import Classifier


def path_inside(contents: Contents, manifest: Manifest) -> str:
    """What to call the model file inside."""
    return f"{contents.archive}/{manifest.model}"


def sealed_model(contents: Contents) -> SealedModel:
    """The exported file inside; no engine is needed."""
    manifest = contents.manifest
    return unseal_bytes(
        contents.member(manifest.model),
        name=path_inside(contents, manifest),
        sha256=manifest.model_sha256,  # the bundle as a whole is checked when it starts
    )


def load_classifier(
    contents: Contents, *, threads: int | None = None, faces: bool | None = None
) -> Classifier:
    """The model, ready to answer; warns on standard error where it is not verified.

    Args:
        contents: The bundle.
        threads: Threads per answer; by default as the manifest says.
        faces: Whether to find faces; by default as the manifest says.

    Raises:
        BundleError: If faces are to be found, and it holds nothing that does.
        EngineError: If the engine cannot be loaded or refuses the model, and so with the fallback.
    """
    try:
        classifier = unwarned_classifier(contents, threads=threads, faces=faces)
    except EngineError as error:
        use_fallback(contents, str(error))
        classifier = unwarned_classifier(contents, threads=threads, faces=faces)
    if not classifier.verified:
        sys.stderr.write(f"warning: {classifier.path} is not verified against its original\n")
    return classifier


def unwarned_classifier(
    contents: Contents, *, threads: int | None = None, faces: bool | None = None
) -> Classifier:
    """As `load_classifier`, and silent."""
    from edgeemo.runtime.classifier import Classifier

    model = sealed_model(contents)
    settings = select_faces(contents, model.spec.faces, enabled=faces)
    return Classifier.from_model(
        model,
        faces=settings,
        detector_file=detector_file(contents, settings),
        verified=contents.manifest.verified,
        threads=threads or contents.manifest.threads,
    )
