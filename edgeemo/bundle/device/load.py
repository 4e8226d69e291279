"""Load the classifier of a bundle."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeemo.bundle.device.faces import read_detector_file, select_faces
from edgeemo.bundle.device.fallback import use_fallback
from edgeemo.errors import EngineError
from edgeemo.model.container import unseal_bytes

if TYPE_CHECKING:
    from edgeemo.bundle.device.contents import Contents, Manifest
    from edgeemo.model.container import SealedModel
    from edgeemo.runtime.classifier import Classifier


def member_path(contents: Contents, manifest: Manifest) -> str:
    """Return the name of a model file inside the bundle, as a path."""
    return f"{contents.archive}/{manifest.model}"


def read_model(contents: Contents) -> SealedModel:
    """Read the exported file inside; no engine is needed."""
    manifest = contents.manifest
    return unseal_bytes(
        contents.member(manifest.model),
        name=member_path(contents, manifest),
        sha256=manifest.model_sha256,  # the bundle as a whole is checked when it starts
    )


def load_classifier(
    contents: Contents, *, threads: int | None = None, faces: bool | None = None
) -> Classifier:
    """Load the model, or the fallback; warn on standard error if it is not verified.

    Args:
        contents: The bundle.
        threads: Threads per prediction; by default as in the manifest.
        faces: Whether to detect faces; by default as in the manifest.

    Raises:
        BundleError: If faces are requested, and the bundle has no detector.
        EngineError: If the engine cannot be loaded or refuses the model, and the fallback fails
            as well.
    """
    try:
        classifier = build_classifier(contents, threads=threads, faces=faces)
    except EngineError as error:
        use_fallback(contents, str(error))
        classifier = build_classifier(contents, threads=threads, faces=faces)
    if not classifier.verified:
        from edgeemo.runtime.argparse_cli import warn_unverified

        warn_unverified(classifier)
    return classifier


def build_classifier(
    contents: Contents, *, threads: int | None = None, faces: bool | None = None
) -> Classifier:
    """Load the model as `load_classifier` does, without a fallback and without a warning."""
    from edgeemo.runtime.classifier import Classifier

    model = read_model(contents)
    settings = select_faces(contents, model.spec.faces, enabled=faces)
    return Classifier.from_model(
        model,
        faces=settings,
        detector_file=read_detector_file(contents, settings),
        verified=contents.manifest.verified,
        threads=threads or contents.manifest.threads,
    )


def try_engine(classifier: Classifier) -> None:
    """Run the engine once on a black image, so that one that crashes does so at once."""
    import numpy as np

    classifier.engine.run(np.zeros(classifier.spec.input_shape, np.uint8))
