"""Options of an export, and the exported file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeemo.errors import ExportError
from edgeemo.model.folder import EXPORTED
from edgeemo.model.quantisation import Choice, Quantisation, RangeMethod

if TYPE_CHECKING:
    from collections.abc import Sequence
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
        calibration: How int8 sets the range of an activation from its values over these images.
        keep_float: Names of Keras layers that stay in float in the int8 files.
        auto: Whether to choose ranges and layers of each int8 file, see `edgeemo.export.auto`.
        max_size_kb: Largest size of an int8 file that `auto` may choose, in kB of 1000 bytes.

    Raises:
        ExportError: If the options contradict each other.
    """

    int8: bool = False
    float16: bool = False
    dynamic: bool = False
    formats: tuple[Format, ...] = ("tflite", "onnx")
    seed: int = 0
    calibration_count: int = 128
    calibration: RangeMethod = RangeMethod.MINMAX
    keep_float: tuple[str, ...] = ()
    auto: bool = False
    max_size_kb: float | None = None

    def __post_init__(self) -> None:
        if not self.formats or not set(self.formats) <= {"tflite", "onnx"}:
            raise ExportError(f"formats must be tflite, onnx or both, not {list(self.formats)}")
        if (self.float16 or self.dynamic) and "tflite" not in self.formats:
            raise ExportError("float16 and dynamic require the format tflite")
        if self.calibration_count < 1:
            raise ExportError(f"calibration_count must be at least 1, not {self.calibration_count}")
        self._check_int8()

    def _check_int8(self) -> None:
        given = {
            "--calibration": self.calibration is not RangeMethod.MINMAX,
            "--keep-float": bool(self.keep_float),
            "--auto": self.auto,
            "--max-size-kb": self.max_size_kb is not None,
        }
        flags = [flag for flag, is_given in given.items() if is_given]
        if flags and not self.int8:
            raise ExportError(f"{flags[0]} requires --int8")
        if self.max_size_kb is not None and not self.auto:
            raise ExportError("--max-size-kb requires --auto")
        if self.max_size_kb is not None and not self.max_size_kb > 0:
            raise ExportError(f"--max-size-kb must be more than 0, not {self.max_size_kb:g}")
        if self.auto and flags[0] != "--auto":
            raise ExportError(f"--auto chooses ranges and layers itself: leave out {flags[0]}")

    @property
    def max_size_bytes(self) -> int | None:
        """Return the largest size of an int8 file that `auto` may choose; None for any."""
        return None if self.max_size_kb is None else int(1000 * self.max_size_kb)

    def order_quantisation(self, layers: Sequence[str]) -> Quantisation:
        """Return how int8 files are quantised, the kept layers in the order of the network."""
        kept = tuple(name for name in layers if name in self.keep_float)
        return Quantisation(calibration=self.calibration, keep_float=kept)

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
        quantisation: How an int8 file is quantised; None for the other kinds.
        choice: How `--auto` chose that; None without it.
    """

    path: Path
    format: Format
    kind: Kind
    size_bytes: int
    sha256: str
    partitions: int | None
    warnings: tuple[str, ...] = ()
    quantisation: Quantisation | None = None
    choice: Choice | None = None
