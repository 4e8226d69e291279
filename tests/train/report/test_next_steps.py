"""The next steps of the report: each finding comes with the command that acts on it."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edgeemo.metrics import compare_accuracy
from edgeemo.train.data.pipeline import Pixels
from edgeemo.train.report.doubtful import find_doubtful_labels
from edgeemo.train.report.evaluation import Mistake, evaluate
from edgeemo.train.report.inputs import FitSummary
from edgeemo.train.report.next_steps import suggest_next_steps
from edgeemo.train.report.pretrained import FaceCoverage, PretrainedResult, match_shipped

from ...cli.results_by_hand import SPEC, make_trained
from .test_warnings import report as measure

FIT = FitSummary(
    epochs=10, epochs_run=10, best_epoch=6, interrupted=False, stopped_early=False,
    validates_on_test=False, train_accuracy=0.9,
)  # fmt: skip
DOUBTFUL = Mistake(path="sad/1.jpg", truth="sad", prediction="happy", confidence=0.99)


def report_of(confusion=((180, 20), (20, 180)), **changes):
    found = make_trained(Path("models/mine")).report
    measured = measure(confusion)
    data = replace(found.data, paths=("my faces",))
    start = {"folder": "models/mine", "fit": FIT, "config": {"augment": "none"}, "data": data}
    return replace(found, test=measured, validation=measured, **{**start, **changes})


def compare(ours, theirs, *, whole=False):
    return PretrainedResult(
        name="happy-sad", images=len(ours) + 5, whole=whole, paired=compare_accuracy(ours, theirs)
    )


def test_a_good_model_is_to_be_exported():
    (step,) = suggest_next_steps(report_of())
    assert step.command == "edgeemo export models/mine --int8"


@pytest.mark.parametrize(
    ("changes", "sentence", "command"),
    [
        (
            {"faces": FaceCoverage(images=40, with_face=31, median_share=0.3)},
            "31 of 40 test images show a face",
            "edgeemo train --data 'my faces' --faces --out models/mine-auto",
        ),
        (
            {"pretrained": compare([False] * 10 + [True] * 20, [True] * 30)},
            "happy-sad, which edgeemo includes, is better on the 30 of 35 test images with a face",
            "edgeemo train --data 'my faces' --out models/mine-auto",
        ),
        (
            {
                "pretrained": compare([False] * 10 + [True] * 20, [True] * 30),
                "config": {"mode": "auto", "augment": "strong"},
            },
            "Use it until a model of your own is better",
            "edgeemo predict 'my faces' --model happy-sad",
        ),
        (
            {
                "faces": FaceCoverage(images=40, with_face=31, median_share=0.3),
                "pretrained": compare([False] * 10 + [True] * 20, [True] * 30),
                "config": {"classes": ["happy", "sad"], "accept": [], "review": "r.csv"},
            },
            "Train on the faces. happy-sad, which edgeemo includes, is better",
            "edgeemo train --data 'my faces' --classes happy,sad --review r.csv --faces "
            "--out models/mine-auto",
        ),
        (
            {"doubtful_labels": (DOUBTFUL,) * 9},
            "9 test and validation images look mislabelled",
            "edgeemo data review 'my faces'",
        ),
        (
            {"fit": replace(FIT, interrupted=True, epochs_run=4, best_epoch=4)},
            "interrupted after 4 of 10 epochs",
            "edgeemo train --config models/mine/config.toml --out models/mine-again",
        ),
        (
            {"fit": replace(FIT, best_epoch=10)},
            "still falling in the last epoch, 10",
            "edgeemo train --config models/mine/config.toml --epochs 20 --out models/mine-longer",
        ),
        (
            {"fit": replace(FIT, train_accuracy=1.0), "confusion": [[160, 40], [40, 160]]},
            "right for 100% of the training images and for 80% of others: it overfits",
            "edgeemo train --config models/mine/config.toml --augment light "
            "--out models/mine-light",
        ),
        (
            {"confusion": [[18, 2], [2, 18]]},
            "40 test images show the accuracy to within 13 percentage points; to within 5 takes "
            "about 138. Add images to my faces",
            "edgeemo train --config models/mine/config.toml --out models/mine-more",
        ),
        (
            {"confusion": [[100, 100], [100, 100]]},
            "not shown to be better than always predicting one class, which would be right for 50%",
            "edgeemo data check 'my faces' --html check.html",
        ),
    ],
)
def test_a_finding_comes_with_its_command(changes, sentence, command):
    steps = suggest_next_steps(report_of(**changes))
    assert [step.command for step in steps if sentence in step.finding] == [command]


@pytest.mark.parametrize(
    "changes",
    [
        {"faces": FaceCoverage(images=40, with_face=11, median_share=0.3)},
        {"faces": FaceCoverage(images=40, with_face=40, median_share=0.8)},
        {"pretrained": compare([False] * 2 + [True] * 20, [True] * 22)},
        {"pretrained": compare([True] * 30, [False] * 10 + [True] * 20)},
        {"doubtful_labels": (DOUBTFUL,) * 7},
        {"fit": replace(FIT, best_epoch=10, stopped_early=True)},
        {"fit": replace(FIT, train_accuracy=1.0), "config": {"augment": "camera"}},
        {"fit": None},
    ],
)
def test_what_is_not_found_is_not_suggested(changes):
    assert [step.command for step in suggest_next_steps(report_of(**changes))] == [
        "edgeemo export models/mine --int8"
    ]


def test_every_command_is_one_that_the_command_line_has():
    from edgeemo.cli.start import main  # noqa: F401 - it must import
    from edgeemo.train.options.options import TrainOptions

    report = report_of(
        ((10, 10), (10, 10)),
        faces=FaceCoverage(images=40, with_face=40, median_share=0.3),
        pretrained=compare([False] * 10, [True] * 10),
        doubtful_labels=(DOUBTFUL,) * 9,
        fit=replace(FIT, best_epoch=10, train_accuracy=1.0),
    )
    steps = suggest_next_steps(report)
    assert len(steps) == 6  # the faces and the pretrained model have one remedy
    fields = set(TrainOptions.__dataclass_fields__) | {"config", "out", "data"}
    for step in steps:
        words = shlex.split(step.command)
        assert words[0] == "edgeemo"
        if words[1] == "train":
            assert {w[2:] for w in words if w.startswith("--")} <= fields


@pytest.mark.parametrize(
    ("labels", "found"),
    [
        (("happy", "sad"), ("happy-sad", ("happy", "sad"))),
        (("Sadness", "Smiling"), ("happy-sad", ("sad", "happy"))),
        (("angry", "happy", "sad"), ("emotions", ("anger", "happiness", "sadness"))),
        (("happy", "smiling"), None),
        (("cat", "dog"), None),
        (("happy", "sad", "cat"), None),
    ],
)
def test_the_shipped_model_that_has_the_classes(labels, found):
    assert match_shipped(labels) == found


def test_doubtful_labels_are_confident_contradictions():
    truth = np.arange(100) % 2
    outputs = np.where(truth == 1, 0.9, 0.1).astype(np.float32)[:, None]
    outputs[7], outputs[8] = 0.02, 0.6  # an odd one, labelled sad; and one that is only unsure
    pixels = Pixels(np.zeros((100, 1, 1, 1), np.uint8), truth)
    evaluation = evaluate(outputs, pixels, spec=SPEC, seed=0)
    samples = [SampleByHand(f"{row}.png") for row in range(100)]
    (found,) = find_doubtful_labels(evaluation, samples, labels=SPEC.labels)
    assert (found.path, found.truth, found.prediction) == ("7.png", "sad", "happy")
    assert found.confidence == pytest.approx(0.98)
    few = evaluate(outputs[:12], Pixels(pixels.rows[:12], truth[:12]), spec=SPEC, seed=0)
    assert find_doubtful_labels(few, samples[:12], labels=SPEC.labels) == ()


class SampleByHand:
    def __init__(self, path):
        self.path = path
