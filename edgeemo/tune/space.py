"""What a search may choose, and one choice of it."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from edgeemo.errors import StudyError
from edgeemo.train.networks.architectures import get_architecture
from edgeemo.train.networks.edge import NAME as FREE_EDGE
from edgeemo.train.networks.edge import Stage

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edgeemo.train.options.options import TrainOptions

FREE = "cnn"
"""Among the architectures: three blocks, whose filters, normalisation and dense layer are drawn."""

SEARCHED = ("arch", "size", "lr", "augment")
"""The options of `edgeemo.train.TrainOptions` that a search chooses."""

_BLOCKS = 3
_DENSE = (64, 128, 256)
_USUAL_DENSE = 256

_STEMS = ("c8", "c16", "c16d", "c32d")
_KINDS = ("c", "r", "s", "i")
_EDGE_WIDTHS = (16, 32, 48, 64)
_DEPTHS = (1, 2, 3)
_EXPANSIONS = (2, 4)
_SMALLEST_EDGE = "edge-c8-c16m-c16m-c16m"
"""The member of the edge family that is drawn for the sake of the smallest input: they halve three
times, all of them."""


class Draws(Protocol):
    """What a trial chooses with; Optuna's trials are of this kind."""

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        """One of the choices."""

    def suggest_float(self, name: str, low: float, high: float, *, log: bool = False) -> float:
        """A number from low to high."""


@dataclass(frozen=True, kw_only=True)
class Space:
    """What may be chosen; a single choice is no choice.

    Attributes:
        archs: Names that `edgeemo.train.networks.architectures.get_architecture` takes, or `FREE`;
            "edge" stands for its whole family, of which stem and three stages are drawn.
        sizes: Sides of the input, in pixels.
        filters: Filters of each block of `FREE`.
        lr: Lowest and highest learning rate at the start; drawn evenly by its logarithm.
        augments: Names of `edgeemo.train.data.augmentations.AUGMENTATIONS`.
    """

    archs: tuple[str, ...] = ("cnn-16-32-16", "cnn-bn-64", FREE)
    sizes: tuple[int, ...] = (48, 64)
    filters: tuple[int, ...] = (8, 16, 32, 64)
    lr: tuple[float, float] = (1e-4, 1e-2)
    augments: tuple[str, ...] = ("none", "light", "strong")

    def check(self, base: TrainOptions) -> None:
        """Refuse what cannot be trained, before any slow work.

        Args:
            base: The options that are not searched.

        Raises:
            StudyError: If there is nothing to choose from, or a number is out of its range.
            TrainingError: If a name is unknown, an input too small, or an option wrong.
            DatasetError: If the options of the data are wrong.
        """
        for name, choices in vars(self).items():
            if not choices:
                raise StudyError(f"there are no {name} to choose from; name at least one")
            if name != "lr" and len(set(choices)) < len(choices):
                raise StudyError(f"{name} names one choice twice: {', '.join(map(str, choices))}")
        if not all(1 <= number < 10_000 for number in self.filters):
            raise StudyError(f"filters must be 1 to 9,999, not {', '.join(map(str, self.filters))}")
        if not 0 < self.lr[0] <= self.lr[1]:
            raise StudyError(
                f"lr must be the lowest and the highest learning rate, such as 0.0001,0.01, "
                f"not {self.lr[0]:g},{self.lr[1]:g}"
            )
        smallest = {
            FREE: _composed([min(self.filters)] * _BLOCKS, batch_norm=False, dense=_USUAL_DENSE),
            FREE_EDGE: _SMALLEST_EDGE,
        }
        for arch in self.archs:
            for size in self.sizes:
                for augment in self.augments:
                    name = smallest.get(arch, arch)
                    chosen = {"arch": name, "size": size, "augment": augment, "lr": self.lr[1]}
                    options(base, chosen).check()

    def draw(self, draws: Draws) -> dict[str, Any]:
        """One choice: the `SEARCHED` options."""
        arch = draws.suggest_categorical("arch", self.archs)
        if arch == FREE:
            arch = self._draw_network(draws)
        elif arch == FREE_EDGE:
            arch = _draw_edge(draws)
        lr = draws.suggest_float("lr", *self.lr, log=True)
        return {
            "arch": arch,
            "size": draws.suggest_categorical("size", self.sizes),
            "lr": float(f"{lr:.3g}"),  # more digits would only make the config hard to read
            "augment": draws.suggest_categorical("augment", self.augments),
        }

    def _draw_network(self, draws: Draws) -> str:
        filters = [
            draws.suggest_categorical(f"filters_{block}", self.filters)
            for block in range(1, _BLOCKS + 1)
        ]
        return _composed(
            filters,
            batch_norm=draws.suggest_categorical("batch_norm", (False, True)),
            dense=draws.suggest_categorical("dense", _DENSE),
        )


def space_of(searched: Mapping[str, Any], *, fixed: Mapping[str, Any]) -> Space:
    """The space that a user describes.

    Args:
        searched: Fields of `Space` that the user names.
        fixed: Options of a training that the user names; one of `SEARCHED` is the only choice,
            unless the field is named as well.
    """
    single = {
        field: (fixed[option],) * count
        for field, option, count in (
            ("archs", "arch", 1),
            ("sizes", "size", 1),
            ("augments", "augment", 1),
            ("lr", "lr", 2),
        )
        if fixed.get(option) is not None
    }
    return Space(**{**single, **searched})


def options(base: TrainOptions, chosen: Mapping[str, Any]) -> TrainOptions:
    """The options of one trial: those that are not searched, and what it chose.

    What only backbones have is left out of a plain network's.
    """
    changed = dataclasses.replace(base, **chosen)
    if not get_architecture(changed.arch).is_backbone:
        changed = dataclasses.replace(changed, weights="none", frozen_epochs=0)
    return changed


def _draw_edge(draws: Draws) -> str:
    """The name of a member of the edge family: a stem, and three stages that end at an eighth."""
    stem = draws.suggest_categorical("stem", _STEMS)
    halving = draws.suggest_categorical("halving", ("d", "m"))
    texts = [FREE_EDGE, stem]
    for number in range(1, _BLOCKS + 1):
        kind = draws.suggest_categorical(f"kind_{number}", _KINDS)
        expands = kind == "i"
        stage = Stage(
            kind=kind,
            width=draws.suggest_categorical(f"width_{number}", _EDGE_WIDTHS),
            depth=draws.suggest_categorical(f"depth_{number}", _DEPTHS),
            expansion=draws.suggest_categorical(f"expansion_{number}", _EXPANSIONS)
            if expands
            else 0,
            halving="" if number == 1 and stem.endswith("d") else halving,
        )
        texts.append(str(stage))
    return "-".join(texts)


def _composed(filters: Sequence[int], *, batch_norm: bool, dense: int) -> str:
    """The name of a plain network, as `edgeemo.train.networks.architectures` reads it."""
    parts = ["cnn", *map(str, filters)]
    if batch_norm:
        parts.append("bn")
    if dense != _USUAL_DENSE:
        parts.append(f"d{dense}")
    return "-".join(parts)
