"""`--auto`: the quantisation with the fewest layers in float that agrees with the reference model.

The test split decides whether a file passes, so it may not choose one: candidates are compared on
validation images, and judged on test images only once. The search ends where clearly fewer flips
are to be expected than the gate allows, since the validation images flatter the best of many.

A value stays in float only between two layers in float: a single one rounds its input and its
output as before. So the search is for the shortest run of neighbours: the shortest one from the
input, and the shortest one from the output, each then without the layers at its other end that it
does not need. A longer run is taken to suffice where a shorter one does: bisection finds them.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from edgeemo.errors import ExportError, LimitError
from edgeemo.model.container import seal
from edgeemo.model.quantisation import Choice, Quantisation, RangeMethod, Trial
from edgeemo.utils.text import format_size

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgeemo.export.agreement import Judge
    from edgeemo.export.convert import Converter
    from edgeemo.export.kept_layers import LayerGraph, Operator
    from edgeemo.model.container import Format
    from edgeemo.utils.progress import Progress

ALLOWED_SHARE = 100
"""The gate of int8 allows 1 flip in so many images (`edgeemo.verify.gates.Gates`)."""

_TARGET = 2 / 3
"""Share of the allowed flips at which the search ends."""

_OTHER_RANGES = (RangeMethod.PERCENTILE, RangeMethod.MSE)


@dataclass
class AutoQuantiser:
    """Search for the quantisation of each int8 file of one model.

    Attributes:
        converter: Converter of the network, with its layers.
        judge: The images to compare on.
        max_size_bytes: Largest size of a file; None for any.
        progress: Gets a step for each trial.
    """

    converter: Converter
    judge: Judge
    max_size_bytes: int | None
    progress: Progress

    def choose_all(self, formats: Sequence[Format]) -> dict[Format, tuple[Quantisation, Choice]]:
        """Choose for several formats, and say so; one that cannot be made is left out.

        Raises:
            LimitError: If plain int8 is too large.
        """
        chosen = {}
        for format in formats:
            try:
                chosen[format] = self.choose(format)
            except ExportError:  # which the export tells
                continue
            quantisation, choice = chosen[format]
            self.progress.note(f"auto: int8.{format}: {choice.describe(quantisation)}")
        return chosen

    def choose(self, format: Format) -> tuple[Quantisation, Choice]:
        """Choose the quantisation of ``int8.tflite`` or ``int8.onnx``.

        Raises:
            ExportError: If the model cannot be converted.
            LimitError: If plain int8 is too large.
        """
        search = _Search(self, format)
        best = search.run()
        choice = Choice(
            split=self.judge.split,
            images=len(self.judge),
            allowed_flips=self.allowed_flips,
            target_flips=round(self.target_flips, 2),
            max_size_bytes=self.max_size_bytes,
            passed=max(best.flips, best.expected_flips) <= self.allowed_flips,
            trials=tuple(search.trials),
        )
        return best.quantisation, choice

    @property
    def allowed_flips(self) -> int:
        """Return the number of flips that the gate allows on as many images."""
        return max(1, len(self.judge) // ALLOWED_SHARE)

    @property
    def target_flips(self) -> float:
        """Return the number of expected flips at which the search ends."""
        return _TARGET * self.allowed_flips

    def convert(self, quantisation: Quantisation, format: Format) -> bytes:
        """Return an int8 file with its spec."""
        content = self.converter.convert("int8", format, quantisation=quantisation)
        return seal(content, self.converter.spec, format=format)


class _Search:
    """Search for the quantisation of one file."""

    def __init__(self, quantiser: AutoQuantiser, format: Format) -> None:
        self._all, self._format = quantiser, format
        self.trials: list[Trial] = []
        self._excess = 0

    def run(self) -> Trial:
        """Return the first trial that suffices, from the cheapest on; else the best."""
        plain = self._try(Quantisation())
        if plain is None:
            raise self._describe_excess()
        if self.suffices(plain):
            return plain
        ranged = [self._try(Quantisation(calibration=each)) for each in _OTHER_RANGES]
        base = min(filter(None, (plain, *ranged)), key=_count_expected)
        if self.suffices(base):
            return base
        runs = [self._find_run(base.quantisation, names) for names in self._list_directions()]
        kept = [run for run in runs if run]
        if kept:
            return min(kept, key=_count_kept)
        if self._format == "tflite":
            wide = self._try(Quantisation(activation_bits=16))
            if wide and self.suffices(wide):
                return wide
        return min(self.trials, key=_count_expected)

    def suffices(self, trial: Trial) -> bool:
        """Return whether few enough flips are to be expected on other images."""
        return (
            trial.expected_flips <= self._all.target_flips
            and trial.flips <= self._all.allowed_flips
        )

    def _list_directions(self) -> tuple[list[str], list[str]]:
        operators = self._all.converter.list_operators(self._format)
        names = list_candidates(operators, self._all.converter.layers)
        return names, names[::-1]

    def _find_run(self, base: Quantisation, names: list[str]) -> Trial | None:
        """Return the shortest run from the first name on that suffices, without needless ends."""
        self._all.progress.stage("Trying layers in float", total=2 * len(names).bit_length())
        tried: dict[tuple[int, int], Trial | None] = {}

        def ends(start: int, stop: int) -> bool:
            """Return whether a run suffices, or is too large, as each longer one will be."""
            if (start, stop) not in tried:
                tried[start, stop] = self._try(self._keep(base, names[start:stop]))
                self._all.progress.advance()
            trial = tried[start, stop]
            return trial is None or self.suffices(trial)

        lengths = range(1, len(names))
        length = 1 + bisect_left(lengths, True, key=lambda stop: ends(0, stop))
        if length == len(names) or tried.get((0, length)) is None:
            return None
        starts = range(1, length)
        start = bisect_left(starts, True, key=lambda start: not ends(start, length))
        return tried[start, length]

    def _keep(self, base: Quantisation, names: Sequence[str]) -> Quantisation:
        order = self._all.converter.layers.names
        return replace(base, keep_float=tuple(sorted(names, key=order.index)))

    def _try(self, quantisation: Quantisation) -> Trial | None:
        """Return a new trial; None where the file cannot be made or is too large."""
        try:
            content = self._all.convert(quantisation, self._format)
        except ExportError:
            if quantisation == Quantisation():
                raise
            return None
        if self._all.max_size_bytes is not None and len(content) > self._all.max_size_bytes:
            self._excess = len(content)
            return None
        compared = self._all.judge.compare(content, self._format)
        trial = Trial(
            quantisation=quantisation,
            size_bytes=len(content),
            flips=compared.flips,
            expected_flips=round(compared.expected_flips, 2),
        )
        self.trials.append(trial)
        return trial

    def _describe_excess(self) -> LimitError:
        return LimitError(
            f"int8.{self._format} is {format_size(self._excess)} with no layer in float; "
            "--max-size-kb allows less"
        )


def list_candidates(operators: Sequence[Operator], layers: LayerGraph) -> list[str]:
    """Return the layers to try, one for each operator or group of fused ones.

    Args:
        operators: Operators of the network.
        layers: Its layers.
    """
    found: list[str] = []
    for each in operators:
        if each.layers and not set(found).intersection(each.layers):
            weighty = [name for name in each.layers if name in layers.weighty]
            found.append((weighty or list(each.layers))[0])
    return found


def _count_kept(trial: Trial) -> tuple[int, int]:
    return len(trial.quantisation.keep_float), trial.size_bytes


def _count_expected(trial: Trial) -> float:
    return trial.expected_flips
