"""The report: one value in three forms, which say what is true of the model."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html import unescape

import numpy as np
import pytest

from edgeemo.metrics import expected_calibration_error
from edgeemo.model.folder import REPORT_HTML, REPORT_JSON, REPORT_MD
from edgeemo.model.spec import ModelSpec
from edgeemo.report.html import to_html
from edgeemo.report.markdown import to_markdown
from edgeemo.train import train
from edgeemo.train.data.pipeline import Pixels
from edgeemo.train.loop.callbacks import FitResult
from edgeemo.train.loop.history import Epoch
from edgeemo.train.networks.summary import LayerRow
from edgeemo.train.report import TrainingReport, galleries, plots
from edgeemo.train.report.confidence import certainty
from edgeemo.train.report.document import build_document
from edgeemo.train.report.evaluation import Mistake, evaluate

SEVEN = ("anger", "contempt", "disgust", "fear", "happy", "sad", "surprise")
NASTY = ("<b>x</b>", 'a "b" & c|d')
INGEST = {
    "near_duplicates": 5,
    "near_duplicate_groups": 2,
    "brought_splits": False,
    "taken_from_train": [],
    "grouped": True,
    "test_seen_in_train": 0,
    "leaks": {},
}
TRAINING = {
    "arch": "cnn-16-32-16",
    "data": "faces",
    "ingest": INGEST,
    "epochs": 3,
    "epochs_run": 3,
    "best_epoch": 2,
    "interrupted": False,
    "stopped_early": False,
    "validates_on_test": False,
    "versions": {"keras": "3"},
    "confidence": None,
}


def text_of(html: str) -> str:
    return re.sub(
        r"\s+", " ", unescape(re.sub(r"<style>.*?</style>|<[^>]+>", " ", html, flags=re.S))
    )


@pytest.fixture
def made(tmp_path):
    """Function (labels, spec=..., draw=..., **training): a report on answers made up by chance."""

    def make(labels, *, count=200, skill=4.0, spec=None, draw=False, **training) -> TrainingReport:
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
        sure = certainty(test, spec=spec)
        mistakes = [
            Mistake(
                path=f"{labels[test.truth[row]]}/{row}.png",
                truth=labels[test.truth[row]],
                answer=labels[test.predicted[row]],
                confidence=float(test.confidence[row]),
            )
            for row in test.worst()
        ]
        counts = {split: dict.fromkeys(labels, 40) for split in ("train", "validation", "test")}
        images = {}
        if draw:
            (tmp_path / "plots").mkdir()
            images = {
                "confusion": plots.plot_confusion(tmp_path, test, labels=labels),
                "classes": plots.plot_classes(tmp_path, counts),
                "reliability": plots.plot_reliability(tmp_path, sure),
                "samples": galleries.samples(tmp_path, pixels, spec=spec, seed=0),
                "mistakes": galleries.worst_mistakes(tmp_path, pixels, test, mistakes),
            }
        return TrainingReport(
            name="drawn",
            spec=spec,
            training={**TRAINING, **training},
            layers=[LayerRow(name="a", kind="Dense", output_shape=(2,), parameters=3)],
            counts=counts,
            set_aside={"blank": 3, "duplicate": 1},
            test=test.report,
            validation=test.report,
            certainty=sure,
            mistakes=mistakes,
            warnings=["mind <this>"],
            images=images,
        )

    return make


@pytest.fixture
def said(made, tmp_path):
    """Function as `made`: what the page says, which is also what the Markdown says."""

    def say(labels=("happy", "sad"), **changes) -> str:
        document = build_document(made(labels, **changes))
        text = text_of(to_html(document, folder=tmp_path))
        markdown = re.sub(r"\\(.)", r"\1", to_markdown(document).replace("`", " "))
        assert re.sub(r"\s+", " ", markdown).count(" test images") >= 2
        return text

    return say


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
        for section in ("worst mistakes", "confidence", "The data", "The training", "Layers"):
            assert section in form
        assert f"{report['model']['parameters']:,}" in form
        assert report["config"]["arch"] in form
    assert re.findall("^## (.*)", markdown, re.M)[1:] == re.findall(
        r"<h2 id=\"s\d+\">(.*)</h2>", html
    )


def test_the_page_holds_everything_and_is_small(trained):
    html = trained.file(REPORT_HTML).read_text()
    assert len(html) < 2_000_000
    assert not re.search(r"""(src|href)=["'](?!data:|#)""", html)
    assert "http" not in re.sub(r'http-equiv="Content-Security-Policy"', "", html)
    assert "<script" not in html
    plots_there = {f"plots/{path.name}" for path in trained.file("plots").iterdir()}
    assert plots_there == set(json.loads(trained.file(REPORT_JSON).read_text())["plots"])
    assert {"plots/reliability.png", "plots/curves.png", "plots/confusion.png"} <= plots_there


def test_the_mistakes_are_the_most_confident_wrong_answers(trained):
    report = json.loads(trained.file(REPORT_JSON).read_text())
    spec = trained.spec()
    wrong = {}
    for each in trained.references():
        answer = spec.labels[spec.decide(each.scores)]
        if answer != each.label:
            wrong[each.path] = (each.label, answer, each.scores[spec.decide(each.scores)])
    found = report["mistakes"]
    assert len(found) == min(24, len(wrong))
    for each in found:
        truth, answer, score = wrong[each["path"]]
        assert (each["truth"], each["answer"]) == (truth, answer)
        assert each["confidence"] == pytest.approx(score)
    confidences = [each["confidence"] for each in found]
    assert confidences == sorted(confidences, reverse=True)


def test_confidence_is_judged_on_the_answers_that_ship(trained):
    report = json.loads(trained.file(REPORT_JSON).read_text())["confidence"]["test"]
    spec = trained.spec()
    scores = [each.scores for each in trained.references()]
    stated = [row[spec.decide(row)] for row in scores]
    right = [spec.labels[spec.decide(each.scores)] == each.label for each in trained.references()]
    assert report["ece_after"] == pytest.approx(expected_calibration_error(stated, right))
    assert report["temperature"] == spec.temperature
    assert report["answered"]["count"] == len(scores)


def test_what_was_asked_for_is_drawn_and_told(images, options, tmp_path):
    asked = replace(options, epochs=1, augment="light", metrics=("precision", "recall"))
    folder = train(images, tmp_path / "m", options=asked)
    drawn = {path.stem for path in folder.file("plots").iterdir()}
    assert {"augmented", "metrics"} <= drawn
    report = json.loads(folder.file(REPORT_JSON).read_text())
    assert report["config"]["augment"] == "light"
    assert report["config"]["metrics"] == ["precision", "recall"]
    assert "augment light" in text_of(folder.file(REPORT_HTML).read_text())


def test_seven_classes(said):
    page = said(SEVEN, draw=True)
    assert "A classifier of anger, contempt, disgust, fear, happy, sad, surprise (the most" in page
    assert "true ↓ answered → anger contempt disgust fear happy sad surprise" in page


def test_labels_are_never_markup(made, tmp_path):
    report = made(NASTY, skill=0.5, draw=True)
    html = to_html(build_document(report), folder=tmp_path)
    assert NASTY[0] not in html
    assert NASTY[1] not in html
    assert f"truly {NASTY[0]}" in text_of(html)
    assert "mind <this>" in text_of(html)
    table = [line for line in to_markdown(build_document(report)).splitlines() if "c\\|d" in line]
    assert table
    json.dumps(report.to_dict(), allow_nan=False)


def test_a_model_without_mistakes(said):
    assert "None of the 200 test images was answered wrongly." in said(skill=60.0)


def test_the_tutorials_way_is_called_by_its_name(said):
    ingest = {**INGEST, "grouped": False, "test_seen_in_train": 7}
    page = said(ingest=ingest, validates_on_test=True)
    assert "The split is random, duplicates and all: 7 of 200 test images have a copy" in page
    assert "the test split served as validation, too" in page
    assert "least test loss" in page
    assert "no group straddles" not in page
    assert "On the validation split" not in page


def test_what_the_ingest_did_is_told(said):
    ingest = {
        **INGEST,
        "brought_splits": True,
        "taken_from_train": ["validation"],
        "leaks": {"train/test": 4, "train/validation": 0},
    }
    page = said(ingest=ingest)
    assert "The folder brought its own splits. Validation was taken from train." in page
    assert "4 images left train because test holds the same, or nearly." in page
    assert "in 2 groups; no group straddles a split" in page
    assert re.search(r"reason files blank 3 duplicate 1 all 4", page)


def abstention(**changes):
    certain = {"accuracy": {"value": 0.8}, "count": 50}
    found = {"target_accuracy": 0.95, "reachable": True, "best": certain}
    return {"images": 300, "why_not": "", "abstention": {**found, **changes}}


def test_when_it_is_not_sure(said):
    page = said(skill=1.5, spec={"min_confidence": 0.75}, confidence=abstention())
    assert "“not sure” below a confidence of 0.75, so that 95% of its answers are right" in page
    count, share = re.search(r"it then answers (\d+), a share of ([\d.]+)", page).groups()
    assert int(count) / 200 == pytest.approx(float(share), abs=0.001)
    assert 0 < int(count) < 200


@pytest.mark.parametrize(
    ("confidence", "sentence"),
    [
        (abstention(), "95% is reached without leaving an image out"),
        (abstention(reachable=False), "right for 80.0% of the 50 that it was most certain of"),
        (None, "It answers every image, however unsure it is"),
        (
            {"why_not": "9 images cannot tell"},
            "No temperature was fitted: 9 images cannot tell",
        ),
    ],
)
def test_when_it_answers_everything(said, confidence, sentence):
    assert sentence in said(confidence=confidence)


def test_the_temperature_is_told_with_the_error_before_and_after(made):
    """Answers that a temperature of 2 made modest were too sure before."""
    report = made(("happy", "sad"), skill=1.0, spec={"temperature": 0.25})
    found = report.certainty
    assert found.ece_before != found.ece_after
    assert [each.count for each in found.before] == [each.count for each in found.after]
    assert max(each.confidence for each in found.before) < max(
        each.confidence for each in found.after
    )
    assert [sum(each.count for each in bins) for bins in (found.before, found.after)] == [200, 200]


def test_curves_without_validation_and_with_tracked_metrics(tmp_path):
    (tmp_path / "plots").mkdir()
    history = tuple(
        Epoch(epoch=number, loss=1 / number, accuracy=0.5, tracked={"auc": 0.5, "val_auc": 0.4})
        for number in (1, 2)
    )
    fitted = FitResult(history=history, best_epoch=2, interrupted=False)
    for plot in (plots.plot_curves(tmp_path, fitted), plots.plot_metrics(tmp_path, fitted)):
        assert (tmp_path / plot.path).stat().st_size > 5000
