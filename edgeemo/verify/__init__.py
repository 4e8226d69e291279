"""Compare exported files, run by the engines that ship, with the reference model. No TensorFlow.

>>> from pathlib import Path
>>> from edgeemo.model.folder import open_folder
>>> from edgeemo.verify import verify
>>> verification = verify(open_folder("models/mine"), data=Path("faces"))  # doctest: +SKIP
>>> verification.verdict  # doctest: +SKIP
'passed: 4 files agree with the reference model within the gates on 1,205 test images'
"""

from edgeemo.utils.lazy import make_callable
from edgeemo.verify.comparison import Flip, PredictionComparison
from edgeemo.verify.gates import Gates
from edgeemo.verify.report import FileVerification, Verification, raise_for_gates
from edgeemo.verify.verification import verify

__all__ = [
    "FileVerification",
    "Flip",
    "Gates",
    "PredictionComparison",
    "Verification",
    "raise_for_gates",
    "verify",
]

make_callable(__name__)
