"""The job of a machine's workers, and the files beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from edgeemo.train.options.record import record_options

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from edgeemo.train.data.pipeline import TrainingData
    from edgeemo.train.distributed.rank import Rank
    from edgeemo.train.loop.checkpoint import Checkpoint
    from edgeemo.train.options.options import TrainOptions

STATE, START, WEIGHTS, TRUTH = "state.npz", "start.npz", "weights.npz", "truth.npz"
"""Files of a job: the checkpoint of worker 0 or the initial weights, best weights, classes."""


def save_arrays(path: Path, arrays: Sequence[Any]) -> None:
    """Write arrays for `load_arrays`, in their order."""
    with path.open("wb") as stream:
        np.savez(stream, **{f"{number:05}": array for number, array in enumerate(arrays)})


def load_arrays(path: Path) -> list[Any]:
    """Return the arrays that `save_arrays` wrote."""
    with np.load(path) as file:
        return [file[name] for name in sorted(file.files)]


def write_start(folder: Path, model: Any, checkpoint: Checkpoint) -> None:
    """Write the start of worker 0: the state of an interrupted training, or the initial weights."""
    if checkpoint.exists:
        (folder / STATE).write_bytes(checkpoint.state_path.read_bytes())
        return
    save_arrays(folder / START, [variable.numpy() for variable in model.variables])


def make_job(
    folder: Path, rank: Rank, *, options: TrainOptions, data: TrainingData
) -> Mapping[str, object]:
    """Return the job of every worker of a machine, apart from its rank and the address.

    Args:
        folder: Receives the files of the job.
        rank: Gives the number of workers.
        options: The training options.
        data: The images and the spec; rows that are not on disk are written to `folder`.
    """
    np.savez(folder / TRUTH, train=data.train.truth, validation=data.validation.truth)
    files = {}
    for name, pixels in (("train", data.train), ("validation", data.validation)):
        file = pixels.file
        if file is None:
            file = folder / name
            file.write_bytes(pixels.rows.tobytes())
        files[name] = str(file)
    return {
        "workers": rank.workers,
        "join_seconds": rank.join_seconds,
        "options": record_options(options),
        "spec": data.spec.to_json(),
        "files": files,
    }
