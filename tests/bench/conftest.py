"""Reports made by hand, and how to shadow an engine with a broken one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from edgeemo.bench.protocol import COLD_STAGES, WARM_STAGES
from edgeemo.bench.quantiles import Estimate
from edgeemo.bench.results import (
    BenchmarkReport,
    CandidateResult,
    Measurement,
    StageTime,
)

if TYPE_CHECKING:
    from collections.abc import Callable


def estimate(value: float, spread: float = 0.01) -> Estimate:
    """A value known within a share of itself."""
    return Estimate(value, value * (1 - spread), value * (1 + spread))


def result(
    file: str, ms: float, *, threads: int = 1, size_kb: float = 10, p99: float = 0,
    faces: bool = False, **changes,
) -> CandidateResult:  # fmt: skip
    """A verified candidate that takes `ms`, known within 1 %; perhaps one that detects faces."""
    stage = StageTime(p50=estimate(ms), p90=estimate(ms * 1.2), p99=estimate(p99 or ms * 1.5))
    measured = Measurement(
        rounds=6,
        runs=540,
        cold_ms=dict.fromkeys(COLD_STAGES, estimate(100 + ms)),
        warm_ms={name: stage for name in WARM_STAGES if faces or name != "detect"},
        images_per_second=estimate(1000 / ms),
        workers=2,
        peak_mb=50.0,
    )
    engine = "onnxruntime" if file.endswith(".onnx") else "ai-edge-litert"
    made = CandidateResult(
        file=file, sha256=f"sha of {file}", size_bytes=round(size_kb * 1000), engine=engine,
        threads=threads, status="measured", verified=True, accuracy=Estimate(0.9, 0.85, 0.94),
        measurement=measured,
    )  # fmt: skip
    return replace(made, **changes)


def report(*results: CandidateResult, **changes) -> BenchmarkReport:
    """A report of one run."""
    made = BenchmarkReport(
        edgeemo="0.1.0", date="2026-01-02T03:04:05+00:00",
        machine={"processor": "Cortex-A72", "cores": "4", "board": "Raspberry Pi 4"},
        versions={"numpy": "2.4.6", "ai-edge-litert": "2.3.0"},
        image="a drawn camera frame", image_sha256="p", results=results,
    )  # fmt: skip
    return replace(made, **changes)


@pytest.fixture
def broken_engine(tmp_path, monkeypatch) -> Callable[[str], None]:
    """``broken_engine("raise MemoryError")``: what workers find in place of ai_edge_litert."""

    def put(code: str) -> None:
        package = tmp_path / "shadow" / "ai_edge_litert"
        package.mkdir(parents=True)
        (package / "__init__.py").touch()
        (package / "interpreter.py").write_text(code)
        monkeypatch.setenv("PYTHONPATH", str(package.parent))

    return put
