"""Options of int8 files."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated

from edgeemo.cli.options.usage import refuse_options
from edgeemo.model.quantisation import RangeMethod
from edgeemo.utils.options import Option

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgeemo.model.folder import ModelFolder

_int8 = partial(Option, group="int8")


@dataclass(frozen=True, kw_only=True)
class Int8Arguments:
    """Options for int8 files."""

    calibration: Annotated[
        RangeMethod,
        _int8(
            "How the calibration images set the range of an activation: by all values, without the "
            "outermost 0.01 %, or with the least squared error."
        ),
    ] = RangeMethod.MINMAX
    keep_float: Annotated[
        tuple[str, ...],
        _int8(
            "Keras layers that stay in float in the int8 files; between two neighbours the values "
            "do, too.",
            metavar="LAYER,...",
        ),
    ] = ()
    auto: Annotated[
        bool,
        _int8(
            "Choose the fewest layers in float, or 16-bit activations, that agree with the "
            "reference model on the validation images."
        ),
    ] = False
    max_size_kb: Annotated[
        float | None,
        _int8(
            "Largest int8 file that --auto may choose, in kB of 1000 bytes.",
            metavar="KB",
            default="no limit",
            above=0,
        ),
    ] = None


def check_kept_layers(folder: ModelFolder, names: Sequence[str]) -> None:
    """Refuse layers of ``--keep-float`` that the model does not have, and all of them.

    Raises:
        typer.BadParameter: If there are any.
    """
    if not names:
        return
    from edgeemo.export.saved_layers import check_saved_layers
    from edgeemo.model.keras import find_reference_model

    file = find_reference_model(folder)
    with refuse_options():
        check_saved_layers(file, names)
