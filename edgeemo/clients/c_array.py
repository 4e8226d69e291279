"""A ``.tflite`` model as C++ source, for microcontrollers without a file system."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edgeemo.engines.rewrite import find_integer_ends
from edgeemo.model.container import read_engine_model, unseal
from edgeemo.model.description import describe_model
from edgeemo.utils.extras import is_installed

if TYPE_CHECKING:
    from edgeemo.model.container import SealedModel

FOLDER = "c-array"
_PER_LINE = 12
_TIMEOUT_S = 120
_MEASURE = """
import sys
from tflite_micro.python.tflite_micro import runtime
model = sys.stdin.buffer.read()
runtime.Interpreter.from_bytes(model, arena_size=1 << 28).print_allocations()
"""
"""Prints to standard error. An arena that is much too small would crash, so none is tried."""

_TOTAL = re.compile(rb"Arena allocation total (\d+) bytes")


@dataclass(frozen=True, kw_only=True)
class CArray:
    """A model as C++ source.

    Attributes:
        header: Path of the header.
        source: Path of the source with the bytes.
        made_of: Name of the verified file.
        size_bytes: Size of the model.
        arena_bytes: Size of the tensor arena in tflite-micro; None where it was not measured.
        unmeasured: Why it was not measured, in words; empty if it was.
    """

    header: Path
    source: Path
    made_of: str
    size_bytes: int
    arena_bytes: int | None
    unmeasured: str = ""

    def list_notes(self) -> tuple[str, ...]:
        """Return the size of the tensor arena, or why it is unknown, as a sentence."""
        if self.arena_bytes is None:
            return (f"the tensor arena of the C++ source is not measured: {self.unmeasured}",)
        return (
            f"the C++ source needs a tensor arena of {self.arena_bytes:,} bytes (tflite-micro)",
        )


def make_c_array(path: Path, name: str, *, place: Path) -> tuple[CArray, dict[str, str]]:
    """Return a verified file as C++ source: its model alone, without the spec behind it.

    Args:
        path: The verified ``.tflite`` file.
        name: Name of the model, which becomes that of the files and of the variables.
        place: The folder of all forms.

    Returns:
        The source, and the contents of its files by name.
    """
    stem = re.sub(r"\W+", "_", name, flags=re.ASCII).strip("_").lower() or "model"
    stem = f"m_{stem}" if stem[0].isdigit() else stem
    model, sealed = read_engine_model(path), unseal(path)
    arena, reason = _measure_arena(model)
    sources = {
        f"{stem}.h": _write_header(stem, sealed, model, arena=arena, reason=reason),
        f"{stem}.cc": _write_source(stem, model),
    }
    folder = place / FOLDER
    made = CArray(
        header=folder / f"{stem}.h",
        source=folder / f"{stem}.cc",
        made_of=path.name,
        size_bytes=len(model),
        arena_bytes=arena,
        unmeasured=reason,
    )
    return made, sources


def _measure_arena(model: bytes) -> tuple[int | None, str]:
    """Return the bytes that tflite-micro allocates in its arena, or None and why it is unknown."""
    if not is_installed("tflite_micro"):
        return None, "tflite-micro is not installed"
    try:
        measured = subprocess.run(
            [sys.executable, "-c", _MEASURE],
            input=model,
            capture_output=True,
            check=False,
            timeout=_TIMEOUT_S,
        )
    except subprocess.TimeoutExpired:
        return None, f"tflite-micro took more than {_TIMEOUT_S} seconds"
    found = _TOTAL.search(measured.stderr)
    if measured.returncode or not found:
        return None, "tflite-micro does not run the model"
    return int(found[1]), ""


def _write_header(
    stem: str, sealed: SealedModel, model: bytes, *, arena: int | None, reason: str
) -> str:
    spec, guard = sealed.spec, f"EDGEEMO_{stem.upper()}_H_"
    takes_pixels, gives_bytes = find_integer_ends(model)
    labels = ", ".join(_quote(label) for label in spec.labels)
    text = describe_model(spec, takes_pixels=takes_pixels, gives_bytes=gives_bytes)
    if arena is None:
        room = f"// Size of the tensor arena: not measured ({reason})."
    else:
        room = (
            "// Bytes that tflite-micro allocated in its tensor arena, on a computer of 64 bits.\n"
            f"constexpr int k_{stem}_arena_bytes = {arena};"
        )
    return f"""\
// {Path(sealed.path).name}, SHA-256 {sealed.sha256}
// {text}
#ifndef {guard}
#define {guard}

// The TFLite FlatBuffer, aligned to 16 bytes.
extern const unsigned char g_{stem}_model[];
constexpr unsigned int k_{stem}_model_bytes = {len(model)};

constexpr int k_{stem}_height = {spec.height};
constexpr int k_{stem}_width = {spec.width};
constexpr int k_{stem}_channels = {spec.channels};
constexpr int k_{stem}_outputs = {spec.output_count};
constexpr float k_{stem}_threshold = {spec.threshold!r}f;

// The classes. {_describe_outputs(spec.output_count, spec.labels)}
constexpr int k_{stem}_label_count = {len(spec.labels)};
constexpr const char* k_{stem}_labels[] = {{{labels}}};

{room}

#endif  // {guard}
"""


def _describe_outputs(count: int, labels: tuple[str, ...]) -> str:
    if count == 1:
        return f"Output 0 is the probability of {_quote(labels[1])}, the second one."
    return "Output i is the probability of label i."


def _write_source(stem: str, model: bytes) -> str:
    rows = [
        "    " + " ".join(f"0x{byte:02x}," for byte in model[start : start + _PER_LINE])
        for start in range(0, len(model), _PER_LINE)
    ]
    body = "\n".join(rows)
    return f"""\
#include "{stem}.h"

alignas(16) const unsigned char g_{stem}_model[] = {{
{body}
}};
"""


def _quote(text: str) -> str:
    """Return a text as a C++ string of UTF-8."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("?", "\\?")
    return f'"{escaped}"'
