"""Does the shipped file, run by the shipped engine, answer as the original does? No TensorFlow.

>>> from pathlib import Path
>>> from edgeemo.model.folder import open_folder
>>> from edgeemo.verify import verify
>>> report = verify(open_folder("models/happy-sad"), data=Path("faces"))  # doctest: +SKIP
>>> report.verdict  # doctest: +SKIP
'passed: 4 files agree with the original within the gates on 1,205 test images'
"""

from edgeemo.verify.gates import Gates
from edgeemo.verify.measure import Comparison, Flip
from edgeemo.verify.report import FileVerification, Verification, raise_for_gates
from edgeemo.verify.verification import verify

__all__ = [
    "Comparison",
    "FileVerification",
    "Flip",
    "Gates",
    "Verification",
    "raise_for_gates",
    "verify",
]
