"""Options of ``edgeemo export`` for files that other programs read."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from edgeemo.cli.options.usage import refuse_options
from edgeemo.utils.options import Option

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgeemo.clients import ClientOptions
    from edgeemo.model.container import Format

_client = partial(Option, group="Files for other programs")


class ClientForm(StrEnum):
    """Forms of files for other programs."""

    GENERAL = "general"
    FRIGATE = "frigate"
    MEDIAPIPE = "mediapipe"


class ArrayLayout(StrEnum):
    """Order of the input's dimensions."""

    NHWC = "nhwc"
    NCHW = "nchw"


@dataclass(frozen=True, kw_only=True)
class ClientArguments:
    """Options for files that other programs read."""

    client: Annotated[
        tuple[ClientForm, ...],
        _client(
            "Make files in MODEL/client, too: RGB in, one column per label, TFLite Metadata, "
            "proved equal to the verified files. Alone: general, which all programs read. frigate: "
            "224x224 in its folder layout. mediapipe: one file for ImageClassifier.",
            metavar="[FORM,...]",
            alone="general",
        ),
    ] = ()
    layout: Annotated[
        ArrayLayout,
        _client(
            "Order of the input's dimensions in .onnx files of --client; nchw is that of OpenCV's "
            "blobFromImage."
        ),
    ] = ArrayLayout.NHWC
    c_array: Annotated[
        bool, _client("Write int8.tflite, else float32.tflite, as C++ source to MODEL/client, too.")
    ] = False

    def make_options(self, formats: Sequence[Format]) -> ClientOptions | None:
        """Return the options of the library; None where no file for other programs is requested.

        Args:
            formats: The formats to export.

        Raises:
            typer.BadParameter: If they contradict each other.
        """
        if not self.client and not self.c_array:
            if self.layout is ArrayLayout.NCHW:
                raise typer.BadParameter("--layout nchw requires --client")
            return None
        from edgeemo.clients import ClientOptions

        with refuse_options():
            return ClientOptions(
                forms=tuple(dict.fromkeys(each.value for each in self.client)),
                layout=self.layout.value,
                c_array=self.c_array,
                formats=tuple(formats),
            )
