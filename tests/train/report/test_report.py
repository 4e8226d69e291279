"""The report: one value in three forms, which say what is true of the model."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html import unescape

import numpy as np
import pytest

from edgeemo.dataset import IngestSummary
from edgeemo.metrics import (
    Abstention,
    SelectiveAccuracy,
    expected_calibration_error,
    wilson_interval,
)
from edgeemo.model.folder import REPORT_HTML, REPORT_JSON, REPORT_MD
from edgeemo.model.spec import ModelSpec
from edgeemo.model.tables import Sample
from edgeemo.report.html import to_html
from edgeemo.report.markdown import to_markdown
from edgeemo.train import train
from edgeemo.train.data.pipeline import Pixels
from edgeemo.train.loop.callbacks import FitResult
from edgeemo.train.loop.history import Epoch
from edgeemo.train.networks.summary import LayerRow
from edgeemo.train.report import TrainingReport, galleries, plots
from edgeemo.train.report.calibration import measure_calibration
from edgeemo.train.report.content import (
    ConfidenceSummary,
    DataSummary,
    IllustratedReport,
    ModelSummary,
)
from edgeemo.train.report.document import build_document
from edgeemo.train.report.evaluation import evaluate, list_mistakes
from edgeemo.train.report.inputs import FitSummary
from edgeemo.train.temperature import FittedTemperature
from edgeemo.utils.serialize import to_plain

SEVEN = ("anger", "contempt", "disgust", "fear", "happy", "sad", "surprise")
NASTY = ("<b>x</b>", 'a "b" & c|d')
INGEST = IngestSummary(
    found=304,
    kept=300,
    per_split={},
    rejected={"blank": 3, "duplicate": 1},
    wrong_extension=0,
    near_duplicate_groups=2,
    near_duplicates=5,
    test_seen_in_train=0,
    leaks={},
    thresholds={},
    brought_splits=False,
)
FIT = FitSummary(
    epochs=3,
    epochs_run=3,
    best_epoch=2,
    interrupted=False,
    stopped_early=False,
    validates_on_test=False,
)


def text_of(html: str) -> str:
    return re.sub(
        r"\s+", " ", unescape(re.sub(r"<style>.*?</style>|<[^>]+>", " ", html, flags=re.S))
    )


@pytest.fixture
def made(tmp_path):
    """Function (labels, spec=..., draw=..., fit=..., ...): a report on random predictions."""

    def make(
        labels,
        *,
        count=200,
        skill=4.0,
        spec=None,
        draw=False,
        ingest=INGEST,
        fit=FIT,
        calibration=None,
    ) -> IllustratedReport:
        drawn = np.random.default_rng(0)
        spec = replace(
            ModelSpec(labels=labels, height=8, width=8, channels=1, activation="softmax"),
            **(spec or {}),
        )
        truth = drawn.integers(0, len(labels), count)
        logits = drawn.normal(0, 1, (count, len(labels)))
        logits[np.arange(count), truth] += skill
        odds = np.exp(logits - logits.max(axis=1, keepdims=True))
        rows = drawn.integers(0, 256, (count, 8, 8, 1)).astype(np.uint8)
        outputs = (odds / odds.sum(axis=1, keepdims=True)).astype(np.float32)
        pixels = Pixels(rows, truth)
        test = evaluate(outputs, pixels, spec=spec, seed=0)
        measured = measure_calibration(test, spec=spec)
        samples = [
            Sample(path=f"{labels[k]}/{row}.png", label=labels[k], split="test", sha256="")
            for row, k in enumerate(truth)
        ]
        mistakes = list_mistakes(test, samples, labels=labels)
        counts = {split: dict.fromkeys(labels, 40) for split in ("train", "validation", "test")}
        images = {}
        if draw:
            (tmp_path / "plots").mkdir()
            images = {
                "confusion": plots.plot_confusion(tmp_path, test, labels=labels),
                "classes": plots.plot_classes(tmp_path, counts),
                "reliability": plots.plot_reliability(tmp_path, measured),
                "samples": galleries.draw_samples(tmp_path, pixels, spec=spec, seed=0),
                "mistakes": galleries.draw_mistakes(
                    tmp_path, pixels, evaluation=test, mistakes=mistakes
                ),
            }
        report = TrainingReport(
            name="drawn",
            model=ModelSummary(
                architecture="cnn-16-32-16",
                input_shape=spec.input_shape,
                output_count=spec.output_count,
                activation=spec.activation,
                labels=spec.labels,
                threshold=spec.threshold,
                min_confidence=spec.min_confidence,
                faces=spec.faces,
                parameters=3,
                layers=(LayerRow(name="a", kind="Dense", output_shape=(2,), parameters=3),),
            ),
            data=DataSummary(
                source="faces", counts=counts, excluded=ingest.rejected, ingest=ingest
            ),
            test=test.report,
            validation=test.report,
            confidence=ConfidenceSummary(test=measured, validation=calibration),
            mistakes=mistakes,
            warnings=("mind <this>",),
            fit=fit,
            imported=None,
            config={},
            versions={"keras": "3"},
            plots=(),
        )
        return IllustratedReport(report, images)

    return make


@pytest.fixture
def shown(made, tmp_path):
    """Function as `made`: what the page says, which is also what the Markdown says."""

    def say(labels=("happy", "sad"), **changes) -> str:
        document = build_document(made(labels, **changes))
        text = text_of(to_html(document, folder=tmp_path))
        markdown = re.sub(r"\\(.)", r"\1", to_markdown(document).replace("`", " "))
        assert re.sub(r"\s+", " ", markdown).count(" test images") >= 2
        return text

    return say


@pytest.mark.tensorflow
def test_the_three_forms_of_a_real_report_say_the_same(trained):
    report = json.loads(trained.file(REPORT_JSON).read_text())
    markdown = trained.file(REPORT_MD).read_text()
    html = trained.file(REPORT_HTML).read_text()
    accuracy = report["test"]["accuracy"]
    shown = f"{accuracy['value']:.3f} ({accuracy['low']:.3f} to {accuracy['high']:.3f})"
    for form in (markdown, text_of(html)):
        assert f"Accuracy on {report['test']['n']} test images: {shown}" in form
        for warning in report["warnings"]:
            assert warning in form
        for section in ("Most confident mistakes", "Calibration", "Data", "Training", "Layers"):
            assert section in form
        assert f"{report['model']['parameters']:,}" in form
        assert report["config"]["arch"] in form
    assert re.findall("^## (.*)", markdown, re.M)[1:] == re.findall(
        r"<h2 id=\"s\d+\">(.*)</h2>", html
    )


@pytest.mark.tensorflow
def test_the_page_holds_everything_and_is_small(trained):
    html = trained.file(REPORT_HTML).read_text()
    assert len(html) < 2_000_000
    assert not re.search(r"""(src|href)=["'](?!data:|#)""", html)
    assert "http" not in re.sub(r'http-equiv="Content-Security-Policy"', "", html)
    assert "<script" not in html
    plots_there = {f"plots/{path.name}" for path in trained.file("plots").iterdir()}
    assert plots_there == set(json.loads(trained.file(REPORT_JSON).read_text())["plots"])
    assert {"plots/reliability.png", "plots/curves.png", "plots/confusion.png"} <= plots_there


@pytest.mark.tensorflow
def test_the_mistakes_are_the_most_confident_wrong_predictions(trained):
    report = json.loads(trained.file(REPORT_JSON).read_text())
    spec = trained.read_spec()
    wrong = {}
    for each in trained.read_references():
        prediction = spec.labels[spec.decide(each.scores)]
        if prediction != each.label:
            wrong[each.path] = (each.label, prediction, each.scores[spec.decide(each.scores)])
    found = report["mistakes"]
    assert len(found) == min(24, len(wrong))
    for each in found:
        truth, prediction, score = wrong[each["path"]]
        assert (each["truth"], each["prediction"]) == (truth, prediction)
        assert each["confidence"] == pytest.approx(score)
    confidences = [each["confidence"] for each in found]
    assert confidences == sorted(confidences, reverse=True)


@pytest.mark.tensorflow
def test_confidence_is_that_of_the_reference_predictions(trained):
    report = json.loads(trained.file(REPORT_JSON).read_text())["confidence"]["test"]
    spec = trained.read_spec()
    scores = [each.scores for each in trained.read_references()]
    stated = [row[spec.decide(row)] for row in scores]
    right = [
        spec.labels[spec.decide(each.scores)] == each.label for each in trained.read_references()
    ]
    assert report["ece_after"] == pytest.approx(expected_calibration_error(stated, right))
    assert report["temperature"] == spec.temperature
    assert report["selective_accuracy"]["count"] == len(scores)


@pytest.mark.tensorflow
def test_requested_images_are_drawn(images, options, tmp_path):
    requested = replace(options, epochs=1, augment="light", metrics=("precision", "recall"))
    folder = train(images, tmp_path / "m", options=requested).folder
    drawn = {path.stem for path in folder.file("plots").iterdir()}
    assert {"augmented", "metrics"} <= drawn
    report = json.loads(folder.file(REPORT_JSON).read_text())
    assert report["config"]["augment"] == "light"
    assert report["config"]["metrics"] == ["precision", "recall"]
    assert "augment light" in text_of(folder.file(REPORT_HTML).read_text())


def test_seven_classes(shown):
    page = shown(SEVEN, draw=True)
    assert "A classifier of anger, contempt, disgust, fear, happy, sad, surprise (the most" in page
    assert "true ↓ predicted → anger contempt disgust fear happy sad surprise" in page


def test_labels_are_never_markup(made, tmp_path):
    report = made(NASTY, skill=0.5, draw=True)
    html = to_html(build_document(report), folder=tmp_path)
    assert NASTY[0] not in html
    assert NASTY[1] not in html
    assert f"truth: {NASTY[0]}" in text_of(html)
    assert "mind <this>" in text_of(html)
    table = [line for line in to_markdown(build_document(report)).splitlines() if "c\\|d" in line]
    assert table
    json.dumps(to_plain(report.report), allow_nan=False)


def test_a_model_without_mistakes(shown):
    assert "All 200 test images were predicted rightly." in shown(skill=60.0)


def test_the_tutorials_way_is_called_by_its_name(shown):
    ingest = replace(INGEST, grouped=False, test_seen_in_train=7)
    page = shown(ingest=ingest, fit=replace(FIT, validates_on_test=True))
    assert "The split is random, regardless of duplicates: 7 of 200 test images have a copy" in page
    assert "the test split served as validation, too" in page
    assert "lowest test loss" in page
    assert "every group is in one split" not in page
    assert "on the validation split" not in page


def test_what_the_ingest_did_is_told(shown):
    ingest = replace(
        INGEST,
        brought_splits=True,
        taken_from_train=("validation",),
        leaks={"train/test": 4, "train/validation": 0},
    )
    page = shown(ingest=ingest)
    assert (
        "The folder has its own splits. The images of validation were taken from its train" in page
    )
    assert "4 images of train were excluded: test has the same or nearly so." in page
    assert "in 2 groups; every group is in one split" in page
    assert re.search(r"reason files blank 3 duplicate 1 all 4", page)


def calibrated(*, reachable=True, **changes) -> FittedTemperature:
    best = SelectiveAccuracy(coverage=wilson_interval(50, 300), accuracy=wilson_interval(40, 50))
    abstention = Abstention(
        target_accuracy=0.95, reachable=reachable, min_confidence=0.0, achieved=best, best=best
    )
    found = FittedTemperature(
        images=300, temperature=1.0, unfitted_reason="", ece_before=0.1, ece_after=0.1,
        abstention=abstention,
    )  # fmt: skip
    return replace(found, **changes)


def test_when_it_is_not_sure(shown):
    page = shown(skill=1.5, spec={"min_confidence": 0.75}, calibration=calibrated())
    assert (
        "Below a confidence of 0.75 the prediction is “not sure”, so that 95% of the labels" in page
    )
    count, share = re.search(r"images (\d+) get a label, a share of ([\d.]+)", page).groups()
    assert int(count) / 200 == pytest.approx(float(share), abs=0.001)
    assert 0 < int(count) < 200


@pytest.mark.parametrize(
    ("calibration", "sentence"),
    [
        (calibrated(), "95% is reached on all images"),
        (calibrated(reachable=False), "reached 80.0% on the 50 images above it"),
        (None, "Every image gets a label, whatever its confidence"),
        (
            calibrated(unfitted_reason="9 images cannot tell"),
            "No temperature was fitted: 9 images cannot tell",
        ),
    ],
)
def test_when_every_image_gets_a_label(shown, calibration, sentence):
    assert sentence in shown(calibration=calibration)


def test_the_temperature_is_told_with_the_error_before_and_after(made):
    """Answers that a temperature of 2 made modest were too sure before."""
    page = made(("happy", "sad"), skill=1.0, spec={"temperature": 0.25})
    found = page.report.confidence.test
    assert found.ece_before != found.ece_after
    assert [each.count for each in found.reliability_before] == [
        each.count for each in found.reliability_after
    ]
    assert max(each.confidence for each in found.reliability_before) < max(
        each.confidence for each in found.reliability_after
    )
    assert [
        sum(each.count for each in bins)
        for bins in (found.reliability_before, found.reliability_after)
    ] == [200, 200]


def test_curves_without_validation_and_with_tracked_metrics(tmp_path):
    (tmp_path / "plots").mkdir()
    history = tuple(
        Epoch(epoch=number, loss=1 / number, accuracy=0.5, tracked={"auc": 0.5, "val_auc": 0.4})
        for number in (1, 2)
    )
    fitted = FitResult(history=history, best_epoch=2, interrupted=False)
    for plot in (plots.plot_curves(tmp_path, fitted), plots.plot_metrics(tmp_path, fitted)):
        assert (tmp_path / plot.path).stat().st_size > 5000
