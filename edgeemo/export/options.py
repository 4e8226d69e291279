"""What to export, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from edgeemo.errors import ExportError
from edgeemo.model.folder import EXPORTED

if TYPE_CHECKING:
    from pathlib import Path

    from edgeemo.model.container import Format

Kind = Literal["float32", "float16", "dynamic", "int8"]


@dataclass(frozen=True, kw_only=True)
class ExportOptions:
    """What to export besides float32.

    Attributes:
        int8: Also full-integer TFLite and static-QDQ ONNX, calibrated on the training split.
        float16: Also TFLite with float16 weights.
        dynamic: Also TFLite with int8 weights and float activations.
        formats: Formats to export, "tflite" or "onnx" or both.
        seed: Chooses the calibration images.
        calibration_count: How many of them to use, shared equally between the classes. On
            FER2013, 32 to 512 of them agreed with the original equally well.

    Raises:
        ExportError: If the options contradict each other.
    """

    int8: bool = False
    float16: bool = False
    dynamic: bool = False
    formats: tuple[Format, ...] = ("tflite", "onnx")
    seed: int = 0
    calibration_count: int = 128

    def __post_init__(self) -> None:
        if not self.formats or not set(self.formats) <= {"tflite", "onnx"}:
            raise ExportError(f"formats must be tflite, onnx or both, not {list(self.formats)}")
        if (self.float16 or self.dynamic) and "tflite" not in self.formats:
            raise ExportError("float16 and dynamic exist as TFLite alone; add the format tflite")
        if self.calibration_count < 1:
            raise ExportError(f"calibration needs images, not {self.calibration_count}")

    @property
    def file_names(self) -> tuple[str, ...]:
        """Names of the files that these options ask for, in the order of `EXPORTED`."""
        wanted: dict[Kind, bool] = {
            "float32": True,
            "float16": self.float16,
            "dynamic": self.dynamic,
            "int8": self.int8,
        }
        kinds = {kind for kind, asked in wanted.items() if asked}
        return tuple(
            name
            for name in EXPORTED
            if name.partition(".")[0] in kinds and name.partition(".")[2] in self.formats
        )


@dataclass(frozen=True, kw_only=True)
class ExportedFile:
    """One file that was exported.

    Attributes:
        path: Where it is.
        format: "tflite" or "onnx".
        kind: "float32", "float16", "dynamic" or "int8".
        size_bytes: Size of the whole file, the spec inside included.
        sha256: Its SHA-256, hexadecimal.
        partitions: Into how many pieces XNNPACK splits the network (1 is best; 0: it takes no
            part of it); None for ONNX.
        warnings: Sentences that the user should read.
    """

    path: Path
    format: Format
    kind: Kind
    size_bytes: int
    sha256: str
    partitions: int | None
    warnings: tuple[str, ...] = ()
