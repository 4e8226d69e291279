"""Options of an export, and the exported file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeemo.errors import ExportError
from edgeemo.model.folder import EXPORTED

if TYPE_CHECKING:
    from pathlib import Path

    from edgeemo.model.container import Format, Kind


@dataclass(frozen=True, kw_only=True)
class ExportOptions:
    """Kinds to export besides float32, and how.

    Attributes:
        int8: Whether to export full-integer TFLite and static-QDQ ONNX, calibrated on the training
            split.
        float16: Whether to export TFLite with float16 weights.
        dynamic: Whether to export TFLite with int8 weights and float activations.
        formats: Formats to export, "tflite", "onnx" or both.
        seed: Seed of the choice of calibration images.
        calibration_count: Number of calibration images, 1 or more, shared equally between the
            classes. On an equalised copy of FER2013, 32 to 512 of them agreed equally well with the
            reference model.

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
            raise ExportError("float16 and dynamic require the format tflite")
        if self.calibration_count < 1:
            raise ExportError(f"calibration_count must be at least 1, not {self.calibration_count}")

    @property
    def file_names(self) -> tuple[str, ...]:
        """Return the names of the files to export, in the order of `EXPORTED`."""
        requested: dict[Kind, bool] = {
            "float32": True,
            "float16": self.float16,
            "dynamic": self.dynamic,
            "int8": self.int8,
        }
        kinds = {kind for kind, chosen in requested.items() if chosen}
        return tuple(
            name
            for name in EXPORTED
            if name.partition(".")[0] in kinds and name.partition(".")[2] in self.formats
        )


@dataclass(frozen=True, kw_only=True)
class ExportedFile:
    """One exported file.

    Attributes:
        path: Path of the file.
        format: "tflite" or "onnx".
        kind: "float32", "float16", "dynamic" or "int8".
        size_bytes: Size of the file, including the embedded spec.
        sha256: SHA-256 of the file, hexadecimal.
        partitions: Number of XNNPACK partitions of the network (1 is best; 0: XNNPACK runs no
            part of it); None for ONNX.
        warnings: Warnings for the user, as sentences.
    """

    path: Path
    format: Format
    kind: Kind
    size_bytes: int
    sha256: str
    partitions: int | None
    warnings: tuple[str, ...] = ()
