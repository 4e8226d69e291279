"""Search space of `tune`: the options that it chooses, and how it draws them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from typing import TYPE_CHECKING, Annotated, Any, Protocol

from edgeemo.errors import StudyError
from edgeemo.train.networks.architectures import ARCHITECTURES, get_architecture
from edgeemo.train.networks.edge import EDGE, Stage
from edgeemo.train.options.choices import Augment, Weights
from edgeemo.utils.options import Option, convert_fields
from edgeemo.utils.serialize import to_plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from edgeemo.train.options.options import TrainOptions

FREE = "cnn"
"""Name of the networks of three blocks whose filters, normalisation and hidden layer are drawn."""

SEARCHED = ("arch", "size", "lr", "augment")
"""Options of `edgeemo.train.TrainOptions` that a search chooses."""

_BLOCKS = 3
_DENSE = (64, 128, 256)
_DEFAULT_DENSE = 256

_STEMS = ("c8", "c16", "c16d", "c32d")
_KINDS = ("c", "r", "s", "i")
_EDGE_WIDTHS = (16, 32, 48, 64)
_DEPTHS = (1, 2, 3)
_EXPANSIONS = (2, 4)
_SMALLEST_EDGE = "edge-c8-c16m-c16m-c16m"
"""A member of the edge family for the smallest input: all that are drawn halve it three times."""


class Draws(Protocol):
    """Interface of a trial that draws choices, as Optuna's trials do."""

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        """Return one of the choices."""

    def suggest_float(self, name: str, low: float, high: float, *, log: bool = False) -> float:
        """Return a number from low to high."""


_space = partial(Option, group="Search space")


def _networks() -> Iterable[str]:
    return (FREE, *ARCHITECTURES)


@dataclass(frozen=True, kw_only=True)
class Space:
    """The options that a search chooses; one choice alone is fixed.

    Raises:
        StudyError: If a value has the wrong type or is out of its range, or a name is unknown.
    """

    arch: Annotated[
        tuple[str, ...],
        _space(
            "Networks: names as of 'edgeemo train --arch', 'cnn' for three blocks whose filters, "
            "normalisation and hidden layer are searched, and 'edge' for the edge family.",
            names=_networks,
        ),
    ] = ("cnn-16-32-16", "cnn-bn-64", FREE)
    sizes: Annotated[
        tuple[int, ...], _space("Heights and widths of the input in pixels.", minimum=1)
    ] = (48, 64)
    filters: Annotated[
        tuple[int, ...], _space("Filters of each block of 'cnn'.", minimum=1, maximum=9_999)
    ] = (8, 16, 32, 64)
    lr: Annotated[
        tuple[float, ...],
        _space(
            "Range of the initial learning rate, searched on a logarithmic scale; one number fixes "
            "it.",
            metavar="LOW,HIGH",
            above=0,
        ),
    ] = (1e-4, 1e-2)
    augment: Annotated[tuple[Augment, ...], _space("Augmentations.")] = (
        Augment.NONE,
        Augment.LIGHT,
        Augment.STRONG,
    )

    def __post_init__(self) -> None:
        try:
            convert_fields(self)
        except ValueError as error:
            raise StudyError(str(error)) from None

    def check(self, base: TrainOptions) -> None:
        """Refuse what cannot be trained, before any slow work.

        Args:
            base: The options that are not searched.

        Raises:
            StudyError: If an option has no choice, or one twice, or `lr` is not a range.
            TrainingError: If a network is unknown, an input too small, or options contradict.
            DatasetError: If the options of the images are wrong.
        """
        from edgeemo.train.options.checks import check_choices

        for name, choices in to_plain(self).items():
            if not choices:
                raise StudyError(f"{name} has no choices; name at least one")
            if name != "lr" and len(set(choices)) < len(choices):
                raise StudyError(f"{name} names one choice twice: {', '.join(map(str, choices))}")
        if len(self.lr) > 2 or self.lr[0] > self.lr[-1]:
            raise StudyError(
                "lr must be the lowest and the highest learning rate, such as 0.0001,0.01, "
                f"not {','.join(f'{rate:g}' for rate in self.lr)}"
            )
        for options in self.list_options(base):
            check_choices(options)

    def list_options(self, base: TrainOptions) -> list[TrainOptions]:
        """Return the options of a training with each network, the smallest, at each size.

        Args:
            base: The options that are not searched.
        """
        smallest = {
            FREE: _composed([min(self.filters)] * _BLOCKS, batch_norm=False, dense=_DEFAULT_DENSE),
            EDGE: _SMALLEST_EDGE,
        }
        return [
            merge_choice(base, {"arch": smallest.get(arch, arch), "size": size, "lr": self.lr[-1]})
            for arch, size in product(self.arch, self.sizes)
        ]

    def draw(self, draws: Draws) -> dict[str, Any]:
        """Draw one choice: the `SEARCHED` options."""
        arch = draws.suggest_categorical("arch", self.arch)
        if arch == FREE:
            arch = self._draw_network(draws)
        elif arch == EDGE:
            arch = _draw_edge(draws)
        lr = draws.suggest_float("lr", self.lr[0], self.lr[-1], log=True)
        return {
            "arch": arch,
            "size": draws.suggest_categorical("size", self.sizes),
            "lr": float(f"{lr:.3g}"),  # more digits would only make the config hard to read
            "augment": draws.suggest_categorical("augment", to_plain(self.augment)),
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


def make_space(searched: Mapping[str, Any], *, fixed: Mapping[str, Any]) -> Space:
    """Return the space of a search.

    Args:
        searched: Options of `Space` that are given.
        fixed: Options of a training that are given; one of `SEARCHED` is the only choice, unless
            the option of the space is given as well.
    """
    names = {"arch": "arch", "size": "sizes", "augment": "augment", "lr": "lr"}
    single = {
        name: (fixed[option],) for option, name in names.items() if fixed.get(option) is not None
    }
    return Space(**{**single, **searched})


def merge_choice(base: TrainOptions, chosen: Mapping[str, Any]) -> TrainOptions:
    """Return the options of one trial: those that are not searched, and those chosen.

    A plain network gets none of the options of backbones.
    """
    changed = replace(base, **chosen)
    if not get_architecture(changed.arch).is_backbone:
        changed = replace(changed, from_=Weights.NONE, frozen_epochs=0)
    return changed


def _draw_edge(draws: Draws) -> str:
    """Draw a member of the edge family: a stem, and three stages that end at an eighth of the side.

    Returns:
        Its name.
    """
    stem = draws.suggest_categorical("stem", _STEMS)
    halving = draws.suggest_categorical("halving", ("d", "m"))
    texts = [EDGE, stem]
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
    """Return the name of a plain network, as `edgeemo.train.networks.architectures` reads it."""
    parts = ["cnn", *map(str, filters)]
    if batch_norm:
        parts.append("bn")
    if dense != _DEFAULT_DENSE:
        parts.append(f"d{dense}")
    return "-".join(parts)
