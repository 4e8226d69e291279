"""What a user of other programs has to know."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from edgeemo.clients.result import ClientFile
    from edgeemo.model.spec import ModelSpec


def list_notes(spec: ModelSpec, files: Sequence[ClientFile]) -> Iterator[str]:
    """Yield what a user of other programs has to know, as sentences without a full stop.

    Args:
        spec: Spec of the model.
        files: The files for other programs.
    """
    if not files:
        return
    if len(spec.labels) == 2 and spec.threshold != 0.5:
        yield (
            f"programs that take the largest score predict {spec.labels[1]!r} from 0.5 on, not "
            f"from the model's threshold of {spec.threshold:g}"
        )
    if spec.min_confidence:
        yield (
            f"MediaPipe gives no label below {spec.min_confidence:g}; other programs do not say "
            "'not sure' by themselves"
        )
    if any(file.form != "frigate" for file in files):
        yield (
            f"such programs resize in their own ways: only images of {spec.width}x{spec.height} "
            "pixels give the same probabilities (MediaPipe's differed by up to 0.2 on larger crops)"
        )
    if spec.faces is not None:
        yield "such programs find no faces: give them crops, as 'edgeemo data crop' makes them"
    yield from map(_describe_resize, (file for file in files if file.form == "frigate"))
    others = [file for file in files if file.form != "frigate" and not file.equality.agrees]
    if others:
        worst = max(others, key=lambda file: file.equality.file_flips)
        yield (
            f"read as RGB, {worst.equality.file_flips:,} of {worst.equality.n:,} images have "
            f"another label in {worst.path.name}: colours are resized before they turn grey"
        )


def _describe_resize(file: ClientFile) -> str:
    equality = file.equality
    return (
        f"{file.path.name} resizes 224x224 by itself, which gives {equality.file_flips:,} of "
        f"{equality.n:,} images another label (max |Δp| {equality.file_max_difference:.2g})"
    )
