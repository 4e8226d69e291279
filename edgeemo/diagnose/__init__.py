"""Where int8 departs from float, layer by layer, why, and what helps.

    >>> from edgeemo.diagnose import diagnose
    >>> found = diagnose("models/mine")  # doctest: +SKIP

Needs no TensorFlow; ``.onnx`` files need the ``train`` extra.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeemo.utils.lazy import import_on_use, make_callable

if TYPE_CHECKING:
    from edgeemo.diagnose.diagnosis import diagnose
    from edgeemo.diagnose.report import (
        Cause,
        Diagnosis,
        Finding,
        LayerDiagnosis,
        WorstImage,
    )

__all__ = ["Cause", "Diagnosis", "Finding", "LayerDiagnosis", "WorstImage", "diagnose"]

__getattr__ = import_on_use(
    __name__,
    {
        "diagnose": "edgeemo.diagnose.diagnosis",
        "Cause": "edgeemo.diagnose.report",
        "Diagnosis": "edgeemo.diagnose.report",
        "Finding": "edgeemo.diagnose.report",
        "LayerDiagnosis": "edgeemo.diagnose.report",
        "WorstImage": "edgeemo.diagnose.report",
    },
)

make_callable(__name__)
