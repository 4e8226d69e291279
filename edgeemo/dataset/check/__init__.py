"""Check a folder of images before training with it: copies, wrong labels, shortcuts and more.

    >>> from edgeemo.dataset.check import check
    >>> for finding in check(Path("faces")).findings:  # doctest: +SKIP
    ...     print(finding.text)

Needs the ``data`` extra; no TensorFlow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeemo.utils.lazy import import_on_use

if TYPE_CHECKING:
    from edgeemo.dataset.check.checking import check_files, check_folder
    from edgeemo.dataset.check.inspect_work import InspectWork
    from edgeemo.dataset.check.page import make_page
    from edgeemo.dataset.check.report import CheckReport, FaceCounts, Finding, ImageSizes

__all__ = [
    "CheckReport",
    "FaceCounts",
    "Finding",
    "ImageSizes",
    "InspectWork",
    "check_files",
    "check_folder",
    "make_page",
]

__getattr__ = import_on_use(
    __name__,
    {
        "CheckReport": "edgeemo.dataset.check.report",
        "FaceCounts": "edgeemo.dataset.check.report",
        "Finding": "edgeemo.dataset.check.report",
        "ImageSizes": "edgeemo.dataset.check.report",
        "InspectWork": "edgeemo.dataset.check.inspect_work",
        "check_files": "edgeemo.dataset.check.checking",
        "check_folder": "edgeemo.dataset.check.checking",
        "make_page": "edgeemo.dataset.check.page",
    },
)
