"""Options of ``edgeemo export`` about one's own Keras model, and its import."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edgeemo.cli.options.scaling import (
    BACKGROUND,
    BGR,
    OFFSET,
    PREPROCESS,
    SCALE,
    THRESHOLD,
)
from edgeemo.cli.options.usage import refuse_options
from edgeemo.model.scaling import PRESETS, Head, Preset, Scaling, make_scaling, unpack
from edgeemo.utils.options import Option, option_fields

if TYPE_CHECKING:
    from edgeemo.train import ImportOptions

_GROUP = "Your own Keras model"
_own = partial(Option, group=_GROUP)


@dataclass(frozen=True, kw_only=True)
class OwnModelArguments:
    """Options about a Keras model that its file does not hold."""

    labels: Annotated[tuple[str, ...], _own("Classes in the order of the model's outputs.")] = ()
    scale: Annotated[tuple[float, ...] | None, replace(SCALE, group=_GROUP)] = None
    offset: Annotated[tuple[float, ...], replace(OFFSET, group=_GROUP)] = (0.0,)
    bgr: Annotated[bool, replace(BGR, group=_GROUP)] = False
    preprocess: Annotated[Preset | None, replace(PREPROCESS, group=_GROUP)] = None
    head: Annotated[
        Head | None,
        _own(
            "Meaning of the outputs; a logit gets a sigmoid or softmax.",
            default="told by the last operation",
        ),
    ] = None
    threshold: Annotated[float, replace(THRESHOLD, group=_GROUP)] = 0.5
    background: Annotated[str | None, replace(BACKGROUND, group=_GROUP)] = None
    out: Annotated[
        Path | None, _own("Model folder to make.", metavar="FOLDER", default="models/NAME")
    ] = None

    def refuse_any(self) -> None:
        """Refuse every option, of a model folder.

        Raises:
            typer.BadParameter: If one is given.
        """
        fields = option_fields(OwnModelArguments)
        named = [each.flag for each in fields.values() if getattr(self, each.name) != each.default]
        if named:
            raise typer.BadParameter(
                f"{', '.join(named)}: only for your own Keras model; a model folder has its own"
            )

    def choose_scaling(self) -> Scaling | None:
        """Return the scaling; None where none is given.

        Raises:
            typer.BadParameter: If it is none, or is given twice.
        """
        fields = option_fields(OwnModelArguments)
        names = ("scale", "offset", "bgr")
        named = [fields[name] for name in names if getattr(self, name) != fields[name].default]
        if self.preprocess is not None:
            if named:
                flags = ", ".join(each.flag for each in named)
                raise typer.BadParameter(f"--preprocess takes the place of {flags}: give one")
            return PRESETS[self.preprocess]
        with refuse_options():
            given = make_scaling(self.scale or (1.0,), self.offset, bgr=self.bgr)
        return None if self.scale is None else given

    def make_options(self, model: Path, data: Path | None, *, seed: int) -> ImportOptions:
        """Return the options of the import.

        Raises:
            typer.BadParameter: If one is missing or wrong.
        """
        from edgeemo.train import ImportOptions

        scaling = self.choose_scaling()
        values = {"labels": self.labels or None, "scale": scaling, "data": data}
        missing = [f"--{name}" for name, value in values.items() if value is None]
        if scaling is None or missing:
            raise typer.BadParameter(
                f"{model} does not include {', '.join(missing)}: add them (--labels in the order "
                "of its outputs; --scale 1/255 if pixels were divided by 255, or a --preprocess)"
            )
        return ImportOptions(
            labels=self.labels,
            scale=unpack(scaling.scale),
            offset=unpack(scaling.offset),
            bgr=scaling.bgr,
            head=self.head,
            threshold=self.threshold,
            background=self.background,
            seed=seed,
        )
