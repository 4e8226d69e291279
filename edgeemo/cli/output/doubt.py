"""Warning about the labels or the scaling of an imported model, with the command to try."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from edgeemo.cli.output.console import warn

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from edgeemo.model.folder import ModelFolder


def warn_of_doubt(
    folder: ModelFolder, model: Path | None = None, *, options: Sequence[str] = ()
) -> None:
    """Print a warning if other labels or another scaling fit the images far better.

    Args:
        folder: The model folder.
        model: The Keras model that it was made of; by default its name as recorded.
        options: Further options of the export.
    """
    facts = folder.read_training()
    if facts.doubt is None or facts.scaling is None:
        return
    spec, doubt = folder.read_spec(), facts.doubt
    head = ["--head", facts.head] if facts.head != "probability" else []
    command = [
        *("edgeemo", "export", str(model or facts.source)),
        *("--labels", ",".join(doubt.labels or spec.labels)),
        *(doubt.scaling or facts.scaling).to_arguments(),
        *head,
        *(("--threshold", f"{spec.threshold:g}") if spec.threshold != 0.5 else ()),
        *(("--background", spec.background) if spec.background is not None else ()),
        *("--data", str(facts.data)),
        *options,
        *("--out", str(folder.path), "--force"),
    ]
    warn(f"{folder.path}: {doubt}; try: {shlex.join(command)}")
