"""A family of small networks that int8 runs cheaply on Arm: stages of residual or plain blocks.

A name spells a network, stage by stage: ``edge-c24d-r32-i48x3e4d``. Each stage is

    KIND WIDTH [xDEPTH] [eEXPANSION] [kKERNEL] [d|m]

KIND is one of `KINDS`, WIDTH its output channels, DEPTH how many blocks, EXPANSION how much wider
an inverted or fused block is inside, KERNEL the side of its convolutions in pixels; ``d`` halves
the image in the first block's convolution (stride 2), ``m`` in front of it (2x2 maximum). The
first stage takes the image and is a plain one. `edgeemo.train.networks.edge_layers` builds it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from edgeemo.errors import TrainingError

if TYPE_CHECKING:
    from collections.abc import Mapping

EDGE = "edge"
"""Name of the recommended member, and prefix of the others' names."""

RECOMMENDED = "edge-c16-c32m-r32-r40m-r48m"
"""Name in full of the member that `EDGE` stands for."""

KINDS: Mapping[str, str] = MappingProxyType(
    {
        "c": "plain: a convolution",
        "r": "residual: two convolutions, plus the input (ResNet)",
        "s": "separable: depthwise, then 1x1 (MobileNet)",
        "i": "inverted: 1x1 to more channels, depthwise, 1x1 back, plus the input (MobileNetV2)",
        "f": "fused: one convolution to more channels, 1x1 back, plus the input (EfficientNetV2)",
    }
)
"""Letter of a name to kind of block."""

_EXPANDED = "if"
_EXPANSION, _KERNEL = 4, 3
_STAGES, _HALVINGS = 8, 5
_STAGE = re.compile(
    r"([a-z])([1-9]\d{0,2})(?:x([1-9]))?(?:e([1-8]))?(?:k([1357]))?([dm])?", re.ASCII
)
_GRAMMAR = (
    "a stage is KIND WIDTH [xDEPTH] [eEXPANSION] [kKERNEL] [d|m], such as c24d, r48x2 or i32x2e4m"
)


@dataclass(frozen=True, kw_only=True)
class Stage:
    """Blocks of one kind and width, one after the other.

    Attributes:
        kind: A letter of `KINDS`.
        width: Output channels, 1 to 999.
        depth: Number of blocks, 1 to 9.
        expansion: Factor of the channels inside an inverted or fused block, 1 to 8 (fused: from
            2); 0 for the other kinds.
        kernel: Side of the convolutions in pixels: 1, 3, 5 or 7.
        halving: "d" for stride 2 in the first block, "m" for a 2x2 maximum in front of it, or "".
    """

    kind: str
    width: int
    depth: int = 1
    expansion: int = 0
    kernel: int = _KERNEL
    halving: str = ""

    def __str__(self) -> str:
        """Return the stage as a network's name spells it."""
        return "".join(
            [
                f"{self.kind}{self.width}",
                f"x{self.depth}" if self.depth != 1 else "",
                f"e{self.expansion}" if self.expansion not in (0, _EXPANSION) else "",
                f"k{self.kernel}" if self.kernel != _KERNEL else "",
                self.halving,
            ]
        )


@dataclass(frozen=True, kw_only=True)
class Edge:
    """A network of the edge family.

    Attributes:
        stages: The stages from the image to the mean over it; the first, the stem, is of kind "c".
        size: Default height and width of the input, in pixels.
    """

    stages: tuple[Stage, ...]
    size: int = 48

    is_backbone = False
    """Whether ImageNet weights are published."""

    @property
    def min_side(self) -> int:
        """Return the smallest side of the input, in pixels, that leaves two for every halving."""
        return 1 << sum(bool(stage.halving) for stage in self.stages)

    @property
    def name(self) -> str:
        """Return the shortest name that spells the network."""
        return "-".join([EDGE, *map(str, self.stages)])


def parse_edge(name: str) -> Edge:
    """Return the network that a name spells.

    Args:
        name: `EDGE`, or `EDGE` and one to eight stages with "-" in front of each.

    Raises:
        TrainingError: If it spells none.
    """
    texts = (RECOMMENDED if name == EDGE else name).split("-")[1:]
    stages = tuple(_parse_stage(name, text) for text in texts)
    if not 1 <= len(stages) <= _STAGES:
        raise _make_error(name, f"it has {len(stages)} stages; 1 to {_STAGES} are possible")
    if stages[0].kind != "c" or stages[0].halving == "m":
        raise _make_error(
            name, f"the first stage is a convolution, such as c24 or c24d, not {texts[0]}"
        )
    if sum(bool(stage.halving) for stage in stages) > _HALVINGS:
        raise _make_error(name, f"it halves the image more than {_HALVINGS} times")
    return Edge(stages=stages)


def _parse_stage(name: str, text: str) -> Stage:
    found = _STAGE.fullmatch(text)
    if not found or found[1] not in KINDS:
        raise _make_error(name, f"{text!r} is not a stage")
    kind, expansion = found[1], int(found[4] or _EXPANSION)
    if found[4] and kind not in _EXPANDED:
        raise _make_error(name, f"{text!r} has an expansion, which only i and f have")
    if kind == "f" and expansion == 1:
        raise _make_error(name, f"{text!r} does not expand; from e2 on it is a fused block")
    return Stage(
        kind=kind,
        width=int(found[2]),
        depth=int(found[3] or 1),
        expansion=expansion if kind in _EXPANDED else 0,
        kernel=int(found[5] or _KERNEL),
        halving=found[6] or "",
    )


def _make_error(name: str, reason: str) -> TrainingError:
    letters = ", ".join(f"{letter} ({text.partition(':')[0]})" for letter, text in KINDS.items())
    return TrainingError(f"architecture {name!r}: {reason}; {_GRAMMAR}; kinds are {letters}")
