"""Check a folder of images before training with it: copies, wrong labels, shortcuts and more.

    >>> from edgeemo.dataset.check import check
    >>> for finding in check(Path("faces")).findings:  # doctest: +SKIP
    ...     print(finding.text)

Needs the ``data`` extra; no TensorFlow.
"""

from edgeemo.dataset.check.checking import check_folder
from edgeemo.dataset.check.page import make_page
from edgeemo.dataset.check.report import CheckReport, FaceCounts, Finding, ImageSizes

__all__ = ["CheckReport", "FaceCounts", "Finding", "ImageSizes", "check_folder", "make_page"]
