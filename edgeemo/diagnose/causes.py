"""The likely causes of the error of int8, with their remedies."""

from __future__ import annotations

from collections import defaultdict
from shlex import quote
from typing import TYPE_CHECKING

from edgeemo.diagnose.evidence import SLOPE, find_cause
from edgeemo.diagnose.report import Cause, Finding
from edgeemo.utils.text import join_and

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edgeemo.diagnose.evidence import LayerEvidence

    Words = tuple[str, str, str]
    """A cause and its remedy, each in a sentence, and the command."""

_MIN_SHARE = 0.02
"""Share of a layer in the sum of all errors from which it has a cause."""

_FINDING = 0.2
"""Share of a cause from which it is named."""

_SINGLE = 0.25
"""Share of a layer without a special cause from which it is named."""

_HELPS = 1.2
"""Mean |Δp| over that with smaller ranges from which these help."""

_NO_ERROR = 1 / 256
"""Largest |Δp| that is no error to speak of: a step of the probabilities."""

_MOST_NAMED = 3


def list_findings(
    layers: Sequence[LayerEvidence],
    *,
    model: str,
    data: Sequence[str],
    kept: Sequence[str],
    max_difference: float,
    narrow_gain: float,
) -> tuple[Finding, ...]:
    """Return the findings, the largest share first.

    Args:
        layers: Every layer.
        model: The model as it was named, for the commands.
        data: Its folders of images, likewise.
        kept: Layers that are in float already.
        max_difference: Largest |Δp| of int8.
        narrow_gain: Mean |Δp| over that with the ranges of `choose_narrow`.
    """
    total = sum(each.effect.alone for each in layers)
    if total <= 0 or max_difference <= _NO_ERROR:
        return ()
    shares = {each.name: each.effect.alone / total for each in layers}
    behind = {
        name
        for each in layers
        if each.outlier and shares[each.name] >= _MIN_SHARE
        for name in each.readers
    }
    groups: dict[Cause, list[LayerEvidence]] = defaultdict(list)
    for each in sorted(layers, key=lambda each: (not each.outlier, -shares[each.name])):
        cause = find_cause(
            each, narrow_helps=narrow_gain >= _HELPS, reads_outlier=each.name in behind
        )
        if shares[each.name] >= (_SINGLE if cause is Cause.COARSE else _MIN_SHARE):
            groups[cause].append(each)
    sums = {cause: sum(shares[each.name] for each in members) for cause, members in groups.items()}
    named = sorted(
        (cause for cause, share in sums.items() if share >= _FINDING), key=lambda each: -sums[each]
    )
    return tuple(
        _make_finding(cause, groups[cause], share=sums[cause], model=model, kept=kept)
        for cause in named
    ) or (_find_accumulated(shares, model, data),)


def _make_finding(
    cause: Cause,
    members: Sequence[LayerEvidence],
    *,
    share: float,
    model: str,
    kept: Sequence[str],
) -> Finding:
    names = [each.name for each in members]
    rest = len(names) - _MOST_NAMED
    shown = [*names[:_MOST_NAMED], *([f"{rest} more"] if rest > 0 else [])]
    keep = _list_kept(members[:_MOST_NAMED])
    text, remedy, command = _WORDS[cause](members, join_and(shown), join_and(keep))
    every = dict.fromkeys([*keep, *kept])
    return Finding(
        cause=cause,
        layers=tuple(names),
        share=share,
        text=text,
        remedy=remedy,
        command=command.format(model=quote(model), layers=quote(",".join(every))),
    )


def _list_kept(members: Sequence[LayerEvidence]) -> list[str]:
    """Return the layers to keep in float; those too that read an output whose rounding is bad.

    A value between two layers is in float only where both are.
    """
    kept = {each.name: None for each in members}
    for each in members:
        if not each.is_by_weights:
            kept |= dict.fromkeys(each.readers)
    return list(kept)


def _find_accumulated(shares: Mapping[str, float], model: str, data: Sequence[str]) -> Finding:
    largest = max(shares, key=lambda name: shares[name])
    return Finding(
        cause=Cause.ACCUMULATED,
        layers=(),
        share=1.0,
        text=f"the rounding of many layers adds up; the largest part of one layer is "
        f"{shares[largest]:.0%} ({largest})",
        remedy="train on with rounding in the forward pass; or keep the layers in float that "
        "help most, with edgeemo export --int8 --auto",
        command=" ".join(
            ["edgeemo train --from", quote(model), "--int8-aware"]
            + [f"--data {quote(each)}" for each in data]
        ),
    )


def _describe_saturated(members: Sequence[LayerEvidence], names: str, _: str) -> Words:
    figures = [each for member in members for each in member.activations]
    worst = max(figures, key=lambda each: each.clipped)
    return (
        f"the range of {names} was calibrated too small: {worst.clipped:.1%} of the values of "
        f"{worst.layer} lie beyond {worst.grid_low:.3g} to {worst.grid_high:.3g} and are clipped; "
        f"the images reach {worst.low:.3g} to {worst.high:.3g}",
        "calibrate on the whole range of other training images",
        "edgeemo export {model} --int8 --calibration minmax --seed 1 --force",
    )


def _describe_outlier(members: Sequence[LayerEvidence], _: str, kept: str) -> Words:
    place, size, channel = members[0].outlier or ("its output", 1.0, 0)
    return (
        f"channel {channel} of {members[0].name} has {size:.0f} times the range of the median "
        f"channel in {place}: few of the 256 steps are left for the others, and the next layer "
        "multiplies it with rounded weights",
        f"keep {kept} in float",
        "edgeemo export {model} --int8 --keep-float {layers} --force",
    )


def _describe_stray(_: Sequence[LayerEvidence], names: str, _kept: str) -> Words:
    return (
        f"a few stray values set the range of {names}; with a smaller range, which clips them, "
        "the steps of all others are finer and the probabilities nearer to those of float",
        "calibrate without them",
        "edgeemo export {model} --int8 --calibration percentile --force",
    )


def _describe_last(members: Sequence[LayerEvidence], names: str, _: str) -> Words:
    step = max(each.logit_step for each in members)
    return (
        f"the steps of {names} are coarse: one step of {step:.2g} in the logit moves a probability "
        f"near the threshold by up to {min(step * SLOPE, 1):.2g}",
        "keep the last layer in float",
        "edgeemo export {model} --int8 --keep-float {layers} --force",
    )


def _describe_hard_swish(_: Sequence[LayerEvidence], names: str, _kept: str) -> Words:
    return (
        f"hard-swish in {names}: a product of two rounded factors, rounded again",
        "keep the layers in float that help most; or train on with rounding in the forward pass, "
        "with edgeemo train --from MODEL --int8-aware",
        "edgeemo export {model} --int8 --auto --force",
    )


def _describe_coarse(members: Sequence[LayerEvidence], names: str, kept: str) -> Words:
    part = "weights" if members[0].is_by_weights else "output"
    return (
        f"the steps of {names} are too coarse for what follows, in the {part} above all; no "
        "channel stands out and little is clipped",
        f"keep {kept} in float",
        "edgeemo export {model} --int8 --keep-float {layers} --force",
    )


_WORDS = {
    Cause.SATURATED: _describe_saturated,
    Cause.OUTLIER: _describe_outlier,
    Cause.STRAY: _describe_stray,
    Cause.LAST_STEPS: _describe_last,
    Cause.HARD_SWISH: _describe_hard_swish,
    Cause.COARSE: _describe_coarse,
}
