"""Options of the files for other programs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

from edgeemo.errors import ExportError
from edgeemo.utils.suggest import describe_unknown

if TYPE_CHECKING:
    from edgeemo.clients.onnx_form import Layout
    from edgeemo.model.container import Format

Form = Literal["general", "frigate", "mediapipe"]
"""Forms of files for other programs; "general" is read by all of them."""

FORMS: tuple[Form, ...] = get_args(Form)


@dataclass(frozen=True, kw_only=True)
class ClientOptions:
    """Files for other programs to make of verified files.

    Attributes:
        forms: Forms to make, of `FORMS`.
        layout: Order of the input's dimensions in ``.onnx`` files: "nhwc" or "nchw".
        c_array: Whether to write a ``.tflite`` file as C++ source, too.
        formats: Formats to make the general form of, "tflite", "onnx" or both.

    Raises:
        ExportError: If the options contradict each other.
    """

    forms: tuple[Form, ...] = ("general",)
    layout: Layout = "nhwc"
    c_array: bool = False
    formats: tuple[Format, ...] = ("tflite", "onnx")

    def __post_init__(self) -> None:
        problem = next((text for wrong, text in self._checks() if wrong), None)
        if problem:
            raise ExportError(problem)

    def _checks(self) -> tuple[tuple[bool, str], ...]:
        unknown = next((form for form in self.forms if form not in FORMS), "")
        of_tflite = [form for form in self.forms if form in ("frigate", "mediapipe")]
        is_nchw, has_tflite = self.layout == "nchw", "tflite" in self.formats
        return (
            (bool(unknown), describe_unknown("client form", unknown, list(FORMS))),
            (self.layout not in ("nhwc", "nchw"), f"layout {self.layout!r} is not nhwc or nchw"),
            (
                is_nchw and "onnx" not in self.formats,
                "--layout nchw requires --format onnx or all: only .onnx files have a layout",
            ),
            (
                is_nchw and "general" not in self.forms,
                "--layout nchw requires --client: it is the layout of the client form",
            ),
            (
                bool(of_tflite) and not has_tflite,
                f"--client {','.join(of_tflite)} requires --format tflite or all",
            ),
            (self.c_array and not has_tflite, "--c-array requires --format tflite or all"),
        )
