"""The checkpoint of a training: all that `edgeemo train --resume` needs, whole or not at all.

While the model folder ``models/NAME`` is being trained, ``models/.NAME.training`` is beside it: the
options, the list of images, and after each epoch one file with all weights, the state of the
optimizer, the best weights so far and the history. Whatever happens to the process, that file is
one that was complete at the end of an epoch. The hidden folder that becomes ``models/NAME`` keeps
other processes off (`edgeemo.utils.files.new_folder`).
"""

from __future__ import annotations

import json
import shutil
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

import numpy as np

from edgeemo.errors import ModelFolderError, TrainingError
from edgeemo.model.folder import SPLIT
from edgeemo.model.tables import read_samples, write_samples
from edgeemo.train.loop.history import Epoch
from edgeemo.utils.files import hide_name, replacing, write_file
from edgeemo.utils.strict_json import parse_object

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from edgeemo.model.tables import Sample

_SUFFIX = ".training"
_REQUEST = "training.json"
_STATE = "state.npz"
_PARTS = ("model", "optimizer", "best", "ema")
_MIN_INTERVAL = 20
"""A state is written no sooner after the last one than so many times the duration of a write."""


@dataclass(frozen=True, kw_only=True)
class State:
    """The state of a training after an epoch.

    Attributes:
        history: The completed epochs.
        best: The best of them.
        model: Variables of the network in their order: weights, and the state of random layers.
        optimizer: Variables of the optimizer in their order.
        best_weights: Weights of the network after the best epoch.
        ema: Variables of the exponential moving average; empty without one.
    """

    history: tuple[Epoch, ...]
    best: Epoch
    model: Sequence[NDArray[Any]]
    optimizer: Sequence[NDArray[Any]]
    best_weights: Sequence[NDArray[Any]]
    ema: Sequence[NDArray[Any]] = ()


class Checkpoint:
    """The checkpoint of the training of a model folder.

    Args:
        out: The model folder that is being trained.
    """

    def __init__(self, out: Path) -> None:
        self.out = out
        self.path = hide_name(out, _SUFFIX)
        self._last_write = -1e9
        self._cost = 0.0

    @property
    def exists(self) -> bool:
        """Return whether there is a state to resume from: an epoch was completed."""
        return (self.path / _STATE).exists()

    @property
    def state_path(self) -> Path:
        """Return the file that `write` writes."""
        return self.path / _STATE

    def start(self, request: Mapping[str, Any], samples: Sequence[Sample]) -> None:
        """Start a new checkpoint in place of an existing one.

        Args:
            request: Data, options and teachers, for `read_request`.
            samples: The images of all splits.
        """
        shutil.rmtree(self.path, ignore_errors=True)
        self.path.mkdir(parents=True)
        write_samples(self.path / SPLIT, samples)
        content = {"name": self.out.name, **request}
        write_file(self.path / _REQUEST, json.dumps(content, indent=2))

    def resume(self, samples: Sequence[Sample]) -> None:
        """Take over the checkpoint of an interrupted training.

        Args:
            samples: The images of all splits, as they are now.

        Raises:
            TrainingError: If the images changed; the text counts the changes.
        """
        recorded = {each.path: each for each in read_samples(self.path / SPLIT)}
        now = {each.path: each for each in samples}
        changes = [
            f"{count:,} {word}"
            for word, count in (
                ("new", len(now.keys() - recorded.keys())),
                ("gone", len(recorded.keys() - now.keys())),
                ("changed", sum(recorded[path] != now[path] for path in now.keys() & recorded)),
            )
            if count
        ]
        if changes:
            raise TrainingError(
                f"{self.out}: the images changed since the training started: "
                f"{', '.join(changes)}; restore them, or start over with --force"
            )

    def read_request(self) -> dict[str, Any]:
        """Return the request that `start` recorded.

        Raises:
            ModelFolderError: If it cannot be read.
        """
        path = self.path / _REQUEST
        try:
            return parse_object(path.read_bytes())
        except (OSError, ValueError) as error:
            raise ModelFolderError(f"{path}: damaged ({error}); start over with --force") from None

    def is_worth_writing(self) -> bool:
        """Return whether writing a state now takes but a small part of the training time."""
        return time.monotonic() - self._last_write > _MIN_INTERVAL * self._cost

    def write(self, state: State) -> None:
        """Write a state in place of the one before."""
        start = time.monotonic()
        meta = {
            "history": [asdict(epoch) for epoch in state.history],
            "best": state.best.epoch,
        }
        groups = (state.model, state.optimizer, state.best_weights, state.ema)
        arrays = {
            f"{part}_{number:05}": array
            for part, group in zip(_PARTS, groups, strict=True)
            for number, array in enumerate(group)
        }
        arrays["meta"] = np.frombuffer(json.dumps(meta).encode(), np.uint8)
        with replacing(self.path / _STATE) as partial, partial.open("wb") as stream:
            np.savez(stream, **arrays)  # type: ignore[arg-type]  # numpy's stub knows no dict
        self._last_write = time.monotonic()
        self._cost = self._last_write - start

    def read(self) -> State:
        """Return the state that was written last.

        Raises:
            ModelFolderError: If it cannot be read.
        """
        path = self.path / _STATE
        try:
            with path.open("rb") as stream, np.load(stream) as file:
                arrays = {name: file[name] for name in sorted(file.files)}
            meta = json.loads(arrays.pop("meta").tobytes())
            history = tuple(Epoch(**epoch) for epoch in meta["history"])
            groups = [
                [array for name, array in arrays.items() if name.startswith(f"{part}_")]
                for part in _PARTS
            ]
        except (
            OSError, ValueError, KeyError, TypeError, EOFError, BadZipFile, RecursionError
        ) as error:  # fmt: skip
            raise ModelFolderError(f"{path}: damaged ({error}); start over with --force") from None
        return State(
            history=history,
            best=history[meta["best"] - 1],
            model=groups[0],
            optimizer=groups[1],
            best_weights=groups[2],
            ema=groups[3],
        )

    def delete(self) -> None:
        """Delete the checkpoint: the training is complete, or cannot be resumed."""
        shutil.rmtree(self.path, ignore_errors=True)


def find_interrupted(models: Path) -> Path:
    """Return the model folder under `models` whose training was interrupted last.

    Raises:
        ModelFolderError: If there is none.
    """
    found = [path.parent for path in models.glob(f".*{_SUFFIX}/{_STATE}")]
    if not found:
        raise ModelFolderError(f"{models}: no interrupted training here; name it with --out")
    newest = max(found, key=lambda path: (path / _STATE).stat().st_mtime_ns)
    name = newest.name.removeprefix(".").removesuffix(_SUFFIX)  # cut, if it was too long
    with suppress(OSError, ValueError):
        name = str(parse_object((newest / _REQUEST).read_bytes()).get("name", name))
    return newest.with_name(name)
