"""TFLite Metadata: what clients such as MediaPipe read of a model's input, output and labels.

The fields are those of TensorFlow Lite's metadata_schema.fbs, version 1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeemo.engines.rewrite import FrontWriter

if TYPE_CHECKING:
    from edgeemo.engines.rewrite import Field
    from edgeemo.model.spec import ModelSpec

LABELS = "labels.txt"
"""Member of the ZIP archive behind the model, with one line per column."""

_IDENTIFIER = b"M001"
_PARSER = "1.0.0"
_RGB = 1
_IMAGE, _FEATURE = 2, 1  # ContentProperties
_NORMALIZATION, _THRESHOLDING = 1, 3  # ProcessUnitOptions
_AXIS_LABELS = 2  # AssociatedFileType


def build_metadata(spec: ModelSpec, *, description: str, output: str) -> bytes:
    """Return the metadata of a classifier with RGB input and one column per label.

    Args:
        spec: Spec of the client form. Its confidence threshold becomes the score threshold, below
            which a client gives no label.
        description: Description of the model.
        output: Description of the output.
    """
    writer = FrontWriter()
    graph: dict[int, Field] = {
        2: ("offset", writer.offsets([_write_input(writer)])),
        3: ("offset", writer.offsets([_write_output(writer, spec, output)])),
    }
    fields: dict[int, Field] = {
        0: ("offset", writer.text("edgeemo")),
        1: ("offset", writer.text(description)),
        2: ("offset", writer.text("1")),
        3: ("offset", writer.offsets([writer.table(graph)])),
        7: ("offset", writer.text(_PARSER)),
    }
    return writer.finish(writer.table(fields), _IDENTIFIER)


def _write_input(writer: FrontWriter) -> int:
    """Write the input: RGB, of which a pixel / 255 is the value."""
    image = writer.table({0: ("b", _RGB)})
    normalization: dict[int, Field] = {
        0: ("offset", writer.numbers("f", [0.0])),
        1: ("offset", writer.numbers("f", [255.0])),
    }
    unit = _write_unit(writer, _NORMALIZATION, normalization)
    stats: dict[int, Field] = {
        0: ("offset", writer.numbers("f", [1.0])),
        1: ("offset", writer.numbers("f", [0.0])),
    }
    fields: dict[int, Field] = {
        0: ("offset", writer.text("image")),
        1: ("offset", writer.text("The image, RGB, stretched to the input's size.")),
        3: ("offset", writer.table({0: ("B", _IMAGE), 1: ("offset", image)})),
        4: ("offset", writer.offsets([unit])),
        5: ("offset", writer.table(stats)),
    }
    return writer.table(fields)


def _write_output(writer: FrontWriter, spec: ModelSpec, text: str) -> int:
    """Write the output: one score per line of the labels."""
    feature = writer.table({})
    labels: dict[int, Field] = {
        0: ("offset", writer.text(LABELS)),
        1: ("offset", writer.text("The labels in the order of the output's columns.")),
        2: ("b", _AXIS_LABELS),
    }
    fields: dict[int, Field] = {
        0: ("offset", writer.text("prob")),
        1: ("offset", writer.text(text)),
        3: ("offset", writer.table({0: ("B", _FEATURE), 1: ("offset", feature)})),
        6: ("offset", writer.offsets([writer.table(labels)])),
    }
    if spec.min_confidence:
        threshold: dict[int, Field] = {0: ("f", spec.min_confidence)}
        unit = _write_unit(writer, _THRESHOLDING, threshold)
        fields[4] = ("offset", writer.offsets([unit]))
    return writer.table(fields)


def _write_unit(writer: FrontWriter, kind: int, options: dict[int, Field]) -> int:
    content = writer.table(options)
    return writer.table({0: ("B", kind), 1: ("offset", content)})
