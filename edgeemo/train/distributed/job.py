"""What a machine's workers are told, and the files that lie beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from edgeemo.train.options.record import record_options

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from edgeemo.model.spec import ModelSpec
    from edgeemo.train.data.pipeline import Pixels
    from edgeemo.train.distributed.rank import Rank
    from edgeemo.train.loop.checkpoint import Checkpoint
    from edgeemo.train.options.options import TrainOptions

STATE, START, WEIGHTS, TRUTH = "state.npz", "start.npz", "weights.npz", "truth.npz"
"""The checkpoint as worker 0 had it, or the first weights; the best at the end; what is true."""


def save_arrays(path: Path, arrays: Sequence[Any]) -> None:
    """Write arrays so that `load_arrays` gives them in their order."""
    with path.open("wb") as stream:
        np.savez(stream, **{f"{number:05}": array for number, array in enumerate(arrays)})


def load_arrays(path: Path) -> list[Any]:
    """Read the arrays that `save_arrays` wrote."""
    with np.load(path) as file:
        return [file[name] for name in sorted(file.files)]


def write_start(folder: Path, model: Any, checkpoint: Checkpoint) -> None:
    """Write the start of a training: the state of an interrupted one, or the initial weights."""
    if checkpoint.exists:
        (folder / STATE).write_bytes(checkpoint.state_path.read_bytes())
        return
    save_arrays(folder / START, [variable.numpy() for variable in model.variables])


def make_job(
    folder: Path,
    position: Rank,
    *,
    options: TrainOptions,
    spec: ModelSpec,
    train: Pixels,
    validation: Pixels,
) -> Mapping[str, object]:
    """Build the message for every worker of a machine, without its number and the rendezvous.

    Args:
        folder: Gets the files that belong to it.
        position: Gives how many train.
        options: How.
        spec: Gives the network's input and answer.
        train: The training split; rows that are not on disk are written to `folder`.
        validation: The validation split; likewise.
    """
    np.savez(folder / TRUTH, train=train.truth, validation=validation.truth)
    files = {}
    for name, pixels in (("train", train), ("validation", validation)):
        file = pixels.file
        if file is None:
            file = folder / name
            file.write_bytes(pixels.rows.tobytes())
        files[name] = str(file)
    return {
        "workers": position.workers,
        "join_seconds": position.join_seconds,
        "options": record_options(options),
        "spec": spec.to_json(),
        "files": files,
    }
