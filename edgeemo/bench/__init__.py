"""Measure exported files on this machine, and select one by the figures.

    >>> from edgeemo.bench import read_candidates, run_benchmark
    >>> files = read_candidates([Path("models/mine/int8.tflite")])  # doctest: +SKIP

Every candidate, a file with a number of threads, runs in worker processes of its own (`worker`).
This side starts them and pools their figures. A bundle includes this package except `compare`,
`plot`, `sample_photo` and `selection`. A name is imported when it is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeemo.utils.lazy import import_on_use

if TYPE_CHECKING:
    from edgeemo.bench.candidates import CandidateFile, add_openvino, parse_threads, read_candidates
    from edgeemo.bench.compare import compare_reports
    from edgeemo.bench.import_report import match_files, read_report
    from edgeemo.bench.plot import plot_report
    from edgeemo.bench.quantiles import Estimate
    from edgeemo.bench.results import BenchmarkReport, CandidateResult, Measurement
    from edgeemo.bench.run import run_benchmark
    from edgeemo.bench.sample_frame import draw_camera_frame
    from edgeemo.bench.sample_photo import draw_detectable_photo, draw_photo
    from edgeemo.bench.selection import SelectionLimits, select_candidate, write_default

__all__ = [
    "BenchmarkReport",
    "CandidateFile",
    "CandidateResult",
    "Estimate",
    "Measurement",
    "SelectionLimits",
    "add_openvino",
    "compare_reports",
    "draw_camera_frame",
    "draw_detectable_photo",
    "draw_photo",
    "match_files",
    "parse_threads",
    "plot_report",
    "read_candidates",
    "read_report",
    "run_benchmark",
    "select_candidate",
    "write_default",
]

__getattr__ = import_on_use(
    __name__,
    {
        "BenchmarkReport": "edgeemo.bench.results",
        "CandidateFile": "edgeemo.bench.candidates",
        "CandidateResult": "edgeemo.bench.results",
        "Estimate": "edgeemo.bench.quantiles",
        "Measurement": "edgeemo.bench.results",
        "SelectionLimits": "edgeemo.bench.selection",
        "add_openvino": "edgeemo.bench.candidates",
        "compare_reports": "edgeemo.bench.compare",
        "draw_camera_frame": "edgeemo.bench.sample_frame",
        "draw_detectable_photo": "edgeemo.bench.sample_photo",
        "draw_photo": "edgeemo.bench.sample_photo",
        "match_files": "edgeemo.bench.import_report",
        "parse_threads": "edgeemo.bench.candidates",
        "plot_report": "edgeemo.bench.plot",
        "read_candidates": "edgeemo.bench.candidates",
        "read_report": "edgeemo.bench.import_report",
        "run_benchmark": "edgeemo.bench.run",
        "select_candidate": "edgeemo.bench.selection",
        "write_default": "edgeemo.bench.selection",
    },
)
