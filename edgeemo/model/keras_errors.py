"""Why a Keras model does not load, in one line with the way out. Standard library only."""

from __future__ import annotations

import re

from edgeemo.utils.text import first_line

_CAUSES = (
    (
        r"\b(TFOpLambda|SlicingOpLambda|TensorFlowOpLayer)\b",
        "it was saved by Keras 2 with a bare operator of TensorFlow ({}), which Keras 3 cannot "
        "load; save it there as a SavedModel: model.export('folder')",
    ),
    (
        "(Only input tensors may be passed as positional arguments)",
        "it has bare operations, such as x + 3, which an .h5 file does not tell from layers; "
        "save it as .keras, or as a SavedModel: model.export('folder')",
    ),
    (
        r"(`Lambda` layer|\A[^\n]*Lambda)",
        "it has a Lambda layer, which is Python code that no file should hold; "
        "replace it with a layer of Keras, such as Rescaling",
    ),
    (
        r"(?:Could not locate class|Unknown (?:layer|object):) '([^']+)'",
        "its layer {} is not one of Keras; use only layers of Keras (a model of keras.applications "
        "has to be saved as .keras)",
    ),
    (
        r"\A(File not found)",  # Keras' message for a file that is no archive
        "not a .keras file, which is a zip archive; it is damaged or of another kind",
    ),
)
"""Patterns of messages, and what they mean."""


class UnsuitableError(ValueError):
    """A SavedModel that loads and cannot be used; its text says why."""


def describe_load_error(error: Exception) -> str:
    """Return why a model does not load.

    Args:
        error: The error of Keras or TensorFlow.
    """
    text = str(error)
    if isinstance(error, UnsuitableError):
        return text
    for pattern, cause in _CAUSES:
        found = re.search(pattern, text)
        if found:
            return cause.format(found[1])
    return f"not a Keras model that loads: {first_line(error)}"
