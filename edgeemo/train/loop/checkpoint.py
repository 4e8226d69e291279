"""What an interrupted training needs to go on: written after an epoch, whole or not at all.

Beside the model folder ``models/NAME`` lies, while it is being trained, ``models/.NAME.training``:
the options, the list of images, and after each epoch one file with all weights, the optimiser's
state, the best weights so far and the history. Whatever happens to the process, that file is one
that an epoch ended with.
"""

from __future__ import annotations

import json
import os
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
from edgeemo.utils.files import is_running, replacing, write_file

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from edgeemo.model.tables import Sample

_SUFFIX = ".training"
_ASKED = "training.json"
_STATE = "state.npz"
_OWNER = "pid"
_PARTS = ("model", "optimizer", "best", "average")
_WORTH = 20
"""A state is written where so many times as long as writing it takes has passed since the last."""


@dataclass(frozen=True, kw_only=True)
class State:
    """A training after an epoch.

    Attributes:
        history: The epochs that have ended.
        best: The best of them.
        model: The network's variables in their order: weights, and the state of its random layers.
        optimizer: The optimiser's variables in their order.
        best_weights: The network's weights as they were after the best epoch.
        average: The variables of the running average of the weights; none where there is none.
    """

    history: tuple[Epoch, ...]
    best: Epoch
    model: Sequence[NDArray[Any]]
    optimizer: Sequence[NDArray[Any]]
    best_weights: Sequence[NDArray[Any]]
    average: Sequence[NDArray[Any]] = ()


class Checkpoint:
    """The place where a training's state is kept, for the model folder `out`."""

    def __init__(self, out: Path) -> None:
        self.out = out
        self.path = out.with_name(f".{out.name}{_SUFFIX}")
        self._last_write = -1e9
        self._cost = 0.0

    @property
    def exists(self) -> bool:
        """Whether there is a training to go on with: one of which an epoch has ended."""
        return (self.path / _STATE).exists()

    @property
    def state_path(self) -> Path:
        """Where `write` keeps a state."""
        return self.path / _STATE

    def begin(self, asked: Mapping[str, Any], samples: Sequence[Sample]) -> None:
        """Make the place for a new training, instead of what is there.

        Args:
            asked: Data, options, teachers: what `asked` gives back.
            samples: The images of all splits.
        """
        shutil.rmtree(self.path, ignore_errors=True)
        self.path.mkdir(parents=True)
        self._own()
        write_samples(self.path / SPLIT, samples)
        write_file(self.path / _ASKED, json.dumps(dict(asked), indent=2))

    def go_on(self, samples: Sequence[Sample]) -> None:
        """Take over an interrupted training.

        Raises:
            TrainingError: If the images are others than they were; the text says how.
        """
        self._own()
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
                f"{self.out}: the images are not those that the training began with: "
                f"{', '.join(changes)}; restore them, or begin anew with --force"
            )

    def asked(self) -> dict[str, Any]:
        """What `begin` was given.

        Raises:
            ModelFolderError: If it cannot be read.
        """
        path = self.path / _ASKED
        try:
            content = json.loads(path.read_bytes())
        except (OSError, ValueError) as error:
            raise ModelFolderError(f"{path}: damaged ({error}); begin anew with --force") from None
        return dict(content)

    def is_worth_writing(self) -> bool:
        """Whether writing a state now would take but a small part of the time spent training."""
        return time.monotonic() - self._last_write > _WORTH * self._cost

    def write(self, state: State) -> None:
        """Keep a state instead of the one before."""
        start = time.monotonic()
        meta = {
            "history": [asdict(epoch) for epoch in state.history],
            "best": state.best.epoch,
        }
        groups = (state.model, state.optimizer, state.best_weights, state.average)
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
        """The state that was written last.

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
        except (OSError, ValueError, KeyError, TypeError, EOFError, BadZipFile) as error:
            raise ModelFolderError(f"{path}: damaged ({error}); begin anew with --force") from None
        return State(
            history=history,
            best=history[meta["best"] - 1],
            model=groups[0],
            optimizer=groups[1],
            best_weights=groups[2],
            average=groups[3],
        )

    def end(self) -> None:
        """The training is over: nothing is left to go on with."""
        shutil.rmtree(self.path, ignore_errors=True)

    def _own(self) -> None:
        """Note that this process trains here.

        Raises:
            ModelFolderError: If another process that still runs does.
        """
        owner = self.path / _OWNER
        with suppress(OSError, ValueError):
            number = int(owner.read_text())
            if number != os.getpid() and is_running(number):
                raise ModelFolderError(
                    f"{self.out}: process {number} is training it right now; wait for it, or "
                    "choose another --out"
                )
        write_file(owner, str(os.getpid()))


def find_interrupted(models: Path) -> Path:
    """The model folder under `models` whose training was interrupted last.

    Raises:
        ModelFolderError: If there is none.
    """
    found = [path.parent for path in models.glob(f".*{_SUFFIX}/{_STATE}")]
    if not found:
        raise ModelFolderError(f"{models}: no interrupted training here; name it with --out")
    newest = max(found, key=lambda path: (path / _STATE).stat().st_mtime_ns)
    return newest.with_name(newest.name.removeprefix(".").removesuffix(_SUFFIX))
