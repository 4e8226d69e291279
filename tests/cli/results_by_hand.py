"""Results as the library returns them, made by hand, so that no command has to train for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edgeemo.dataset import IngestSummary
from edgeemo.export import ExportedFile
from edgeemo.model.folder import ModelFolder
from edgeemo.model.spec import ModelSpec
from edgeemo.model.tables import ReferencePrediction
from edgeemo.train import TrainedModel
from edgeemo.train.data.pipeline import Pixels
from edgeemo.train.report import TrainingReport
from edgeemo.train.report.calibration import measure_calibration
from edgeemo.train.report.content import ConfidenceSummary, DataSummary, ModelSummary
from edgeemo.train.report.evaluation import evaluate
from edgeemo.tune import TuneResult
from edgeemo.tune.limits import Footprint
from edgeemo.tune.trials import Trial
from edgeemo.verify import FileVerification, Gates, Verification
from edgeemo.verify.comparison import compare_predictions

if TYPE_CHECKING:
    from pathlib import Path

SPEC = ModelSpec(labels=("happy", "sad"), height=48, width=48, channels=1)


def make_trained(folder: Path) -> TrainedModel:
    """A model of a name and of counts as long as they may be, with a warning."""
    drawn = np.random.default_rng(0)
    truth = drawn.integers(0, 2, 200)
    outputs = np.clip(truth + drawn.normal(0, 0.4, 200), 0.01, 0.99).astype(np.float32)[:, None]
    pixels = Pixels(np.zeros((200, 48, 48, 1), np.uint8), truth)
    test = evaluate(outputs, pixels, spec=SPEC, seed=0)
    counts = {split: {"happy": 12_345, "sad": 6_789} for split in ("train", "validation", "test")}
    report = TrainingReport(
        name=folder.name,
        model=ModelSummary(
            architecture="mobilenet-v3-small",
            input_shape=SPEC.input_shape,
            output_count=SPEC.output_count,
            activation=SPEC.activation,
            labels=SPEC.labels,
            threshold=SPEC.threshold,
            min_confidence=SPEC.min_confidence,
            faces=None,
            parameters=1_234_567,
            layers=(),
        ),
        data=DataSummary(
            source="faces",
            counts=counts,
            excluded={"duplicate": 1_234, "near-duplicate in another class": 12, "blank": 3},
            ingest=IngestSummary(
                found=30_000,
                kept=29_000,
                per_split={},
                rejected={},
                wrong_extension=0,
                near_duplicate_groups=0,
                near_duplicates=0,
                test_seen_in_train=0,
                leaks={},
                thresholds={},
                brought_splits=False,
            ),
        ),
        test=test.report,
        validation=test.report,
        confidence=ConfidenceSummary(test=measure_calibration(test, spec=SPEC), validation=None),
        mistakes=(),
        warnings=("few test images: the interval is wide",),
        fit=None,
        imported=None,
        config={},
        versions={},
        plots=(),
    )
    return TrainedModel(folder=ModelFolder(folder), report=report)


def make_found(model: TrainedModel | None) -> TuneResult:
    """Twelve trials of the longest names, one of them interrupted."""
    trials = tuple(
        Trial(
            number=number,
            state="complete",
            chosen={
                "arch": ("mobilenet-v3-small", "cnn-bn-16-32-64-d128")[number % 2],
                "size": 224,
                "lr": 0.000312345,
                "augment": "strong",
            },
            footprint=Footprint(
                parameters=1_234_567 + number, multiply_adds=123_456_789, int8_bytes=1_345_678
            ),
            accuracy=0.9 - number / 100,
            loss=0.3,
            epoch=3,
            epochs_run=5,
            seconds=12.5,
        )
        for number in range(12)
    )
    running = Trial(number=12, state="running")
    importances = {"lr": 0.6, "arch": 0.3, "size": 0.1}
    return TuneResult(
        trials=(*trials, running),
        best=trials[0],
        front=trials[:2],
        importances=importances,
        model=model,
    )


def make_exported(folder: Path) -> list[ExportedFile]:
    """An exported file in more than one XNNPACK partition."""
    return [
        ExportedFile(
            path=folder / "int8.tflite",
            format="tflite",
            kind="int8",
            size_bytes=14_800,
            sha256="ab" * 32,
            partitions=3,
        )
    ]


def make_verification(*, passed: bool = True) -> Verification:
    """Four files, the last of which could not be loaded if not `passed`."""
    rows = [
        ReferencePrediction(sha256=f"{i:064}", path=f"{i}.png", label="sad", scores=(0.4, 0.6))
        for i in range(1_205)
    ]
    scores = np.asarray([(0.4, 0.6)] * 1_204 + [(0.6, 0.4)])
    measured = compare_predictions(rows, scores, spec=SPEC)
    files = [
        FileVerification(
            file=name,
            kind="int8",
            status="passed",
            notes=("1,205 test images: too few to prove 99.9 % agreement",),
            sha256="cd" * 32,
            size_bytes=14_800_000,
            engine="ai-edge-litert 2.3.0",
            measured=measured,
        )
        for name in ("float32.tflite", "dynamic.tflite", "int8.onnx")
    ]
    last = FileVerification(
        file="float16.tflite",
        kind="float16",
        status="passed" if passed else "failed",
        reasons=() if passed else ("damaged",),
        measured=measured if passed else None,
    )
    return Verification(
        n=1_205,
        files=(*files, last),
        gates=Gates(),
        edgeemo_version="0.1.0",
        reference_sha256="ab" * 32,
    )
