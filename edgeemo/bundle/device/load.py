"""From a bundle to its classifier."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from edgeemo.container import unseal_bytes

if TYPE_CHECKING:
    from edgeemo.bundle.device.contents import Contents
    from edgeemo.container import SealedModel
    from edgeemo.runtime.classifier import Classifier


def sealed_model(contents: Contents) -> SealedModel:
    """The exported file inside; no engine is needed."""
    manifest = contents.manifest
    return unseal_bytes(
        contents.member(manifest.model),
        name=f"{contents.archive}/{manifest.model}",
        sha256=manifest.model_sha256,  # the bundle as a whole is checked when it starts
    )


def load_classifier(contents: Contents, *, threads: int) -> Classifier:
    """The model, ready to answer; warns on standard error where it is not verified.

    Raises:
        EngineError: If the engine refuses the model.
    """
    from edgeemo.runtime.classifier import Classifier
    from edgeemo.runtime.engine import load_engine

    model, verified = sealed_model(contents), contents.manifest.verified
    if not verified:
        sys.stderr.write(f"warning: {model.path} is not verified against its original\n")
    engine = load_engine(model, threads=threads)
    return Classifier(model.spec, engine, verified=verified, path=model.path)
