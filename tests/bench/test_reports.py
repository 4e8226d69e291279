"""Reports: to JSON and back, as text, compared, imported, as an image."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import replace

import pytest

from edgeemo.bench import plot, table
from edgeemo.bench.candidates import CandidateFile
from edgeemo.bench.compare import compare_reports
from edgeemo.bench.import_report import match_files, read_report
from edgeemo.bench.quantiles import Estimate
from edgeemo.bench.results import BenchmarkReport
from edgeemo.errors import BenchError
from edgeemo.report.plots import draw_figure
from edgeemo.utils.serialize import to_plain

from .conftest import report, result

MISSING = result(
    "c.onnx", 1, status="not run", reason="onnxruntime is not installed", measurement=None
)


def test_a_report_survives_json():
    made = report(result("a.tflite", 4), result("b.onnx", 3, accuracy=None), MISSING)
    text = json.dumps(to_plain(made)).encode()
    assert BenchmarkReport.from_json(text, origin="x") == made
    said = json.loads(text)
    assert said["fastest"] == {"file": "b.onnx", "engine": "onnxruntime", "threads": 1}
    assert (said["version"], said["confidence"]) == (2, 0.95)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: text[:-3], "Expecting"),
        (lambda _: "[]", "an object expected"),
        (lambda _: "{}", "edgeemo is missing"),
        (lambda text: text.replace('"version": 2', '"version": 1'), "version: 2 expected, not 1"),
        (
            lambda text: text.replace('"warm_ms"', '"warm"'),
            "measurement.warm_ms is missing",
        ),
        (lambda text: text.replace('"decode"', '"encode"'), "no figures of the stage decode"),
        (lambda text: text.replace('"p99"', '"p98"'), "p99 is missing"),
        (lambda text: text.replace('"results"', '"r"'), "results is missing"),
    ],
)
def test_what_is_no_report_is_refused_in_one_line(tmp_path, change, said):
    path = tmp_path / "old.json"
    path.write_text(change(json.dumps(to_plain(report(result("a.tflite", 4))))))
    with pytest.raises(BenchError, match=r"old\.json: not a report of this version's") as e:
        read_report(path)
    assert said in str(e.value)
    assert "\n" not in str(e.value)


def test_a_report_that_is_not_there(tmp_path):
    with pytest.raises(BenchError, match=r"gone\.json: cannot be read: No such file"):
        read_report(tmp_path / "gone.json")


def test_the_table_marks_the_fastest_and_tells_why_there_are_no_figures():
    made = report(result("a.tflite", 40), result("b.tflite", 3.5, threads=2), MISSING)
    files, warm, stages, cold = table.build_tables(made)
    assert [row[0] for row in warm.rows] == ["a.tflite x1", "b.tflite x2 *", "c.onnx x1"]
    assert warm.rows[2][1] == "not run"
    assert [row[0] for row in files.rows] == ["a.tflite", "b.tflite", "c.onnx"]
    assert table.list_failures(made) == ["c.onnx: not run: onnxruntime is not installed"]
    for each in (files, warm, stages, cold):
        assert {len(row) for row in each.rows} == {len(each.columns)}
    assert [len(each.rows) for each in (warm, stages, cold)] == [3, 2, 2]


def test_a_p99_without_an_upper_bound_is_said_to_be_one():
    made = result("a.tflite", 4)
    open_ended = replace(made.measurement.total, p99=Estimate(6.0, 5.0, None))
    measured = replace(made.measurement, warm_ms={**made.measurement.warm_ms, "total": open_ended})
    notes = table.build_notes(report(replace(made, measurement=measured)))
    assert notes[0].startswith("too few runs for an upper bound of p99")
    assert notes[0].endswith(": a.tflite x1")


def test_detecting_faces_is_a_stage_of_its_own():
    faces, plain = result("a.tflite", 4, faces=True), result("b.tflite", 4)
    assert "detect" not in table.build_tables(report(plain))[2].columns
    made = report(faces, plain)
    stages = table.build_tables(made)[2]
    assert stages.columns[1:] == ("decode", "detect", "resize", "invoke")
    assert [row[2] for row in stages.rows] == ["4.00/6.00", "-"]
    assert any(
        line.startswith("detect: up to the largest face") for line in table.build_notes(made)
    )
    assert BenchmarkReport.from_json(json.dumps(to_plain(made)).encode(), origin="x") == made


def test_images_without_a_face_are_told():
    found = result("a.tflite", 4, faces=True)
    warm_ms = {name: found.measurement.warm_ms[name] for name in ("decode", "detect", "total")}
    measured = replace(found.measurement, warm_ms=warm_ms, runs_without_face=540)
    made = report(replace(found, measurement=measured))
    assert table.build_tables(made)[2].rows[0][-2:] == ("-", "-")
    assert "no face was detected, so nothing was predicted: a.tflite x1 in 540 of 540 runs" in (
        table.build_notes(made)
    )
    assert BenchmarkReport.from_json(json.dumps(to_plain(made)).encode(), origin="x") == made


def test_side_by_side():
    before = report(result("a", 10), result("b", 10), result("c", 10), result("gone", 1))
    now = report(
        result("a", 8), result("b", 12), result("c", 10.1, sha256="other"), result("new", 1)
    )
    compared = compare_reports(before, now)
    found = {each.file: each for each in compared.candidates}
    assert {file: each.verdict for file, each in found.items()} == {
        "a": "faster", "b": "slower", "c": "unclear", "new": "only now", "gone": "only before",
    }  # fmt: skip
    assert found["a"].ratio == Estimate(0.8, pytest.approx(7.92 / 10.1), pytest.approx(8.08 / 9.9))
    assert compared.is_unclear
    assert [row[-1] for row in compared.rows] == [
        "faster", "slower", "unclear (other bytes)", "only now", "only before",
    ]  # fmt: skip


def test_another_number_of_threads_is_another_candidate():
    before, now = report(result("a", 10)), report(result("a", 5, threads=2))
    assert [each.verdict for each in compare_reports(before, now).candidates] == [
        "only now",
        "only before",
    ]


def test_without_intervals_nothing_is_claimed():
    made = result("a", 10)
    vague = replace(made.measurement.total, p50=Estimate(10.0))
    warm_ms = {**made.measurement.warm_ms, "total": vague}
    before = report(replace(made, measurement=replace(made.measurement, warm_ms=warm_ms)))
    (found,) = compare_reports(before, report(result("a", 1))).candidates
    assert (found.ratio.value, found.verdict) == (0.1, "unclear")


def test_what_else_differs_is_told():
    old = report(result("a", 1))
    assert compare_reports(old, old).caveats == []
    new = replace(
        old, machine={**old.machine, "board": "Raspberry Pi 5"}, image="mine",
        versions={"numpy": "2.5.0"}, image_sha256="q",
    )  # fmt: skip
    machine, versions, image = compare_reports(old, new).caveats
    assert "board Raspberry Pi 4 before, Raspberry Pi 5 now" in machine
    assert versions.endswith("numpy 2.4.6 before, 2.5.0 now")
    assert "mine now" in image


def test_what_a_device_measured_is_taken_by_the_bytes(tmp_path):
    measured = report(
        result("somewhere/a.tflite", 3, sha256="1", verified=False), result("b.tflite", 2)
    )
    here = CandidateFile(
        name="a.tflite", path="a.tflite", sha256="1", size_bytes=1, verified=True,
        accuracy=Estimate(0.8),
    )  # fmt: skip
    (taken,) = match_files(measured, [here], origin=tmp_path / "pi.json").results
    assert (taken.file, taken.verified, taken.accuracy) == ("a.tflite", True, Estimate(0.8))
    with pytest.raises(BenchError, match=r"pi\.json: measured b\.tflite, somewhere/a\.tflite, and"):
        match_files(measured, [replace(here, sha256="2")], origin=tmp_path / "pi.json")


def test_the_image_is_drawn_even_where_little_is_known(tmp_path):
    from PIL import Image

    path = tmp_path / "bench.png"
    plot.plot_report(path, report(result("a.tflite", 4, accuracy=None), MISSING))
    with Image.open(path) as image:
        assert image.format == "PNG"
        assert image.width > 800


@pytest.fixture
def figures(monkeypatch):
    """The figures that are plotted from now on, as Matplotlib has them."""
    figures = []

    @contextmanager
    def kept(path, **size):
        with draw_figure(path, **size) as drawn:
            yield figures.append(drawn) or drawn

    monkeypatch.setattr(plot, "draw_figure", kept)
    return figures


def test_the_image_shows_the_time_of_face_detection(tmp_path, figures):
    for faces in (True, False):
        plot.plot_report(tmp_path / "b.png", report(result("a.tflite", 4, faces=faces)))
    legends = [[text.get_text() for text in each.legends[0].get_texts()] for each in figures]
    assert [any("face detection" in text for text in texts) for texts in legends] == [True, False]


def test_no_name_in_the_image_lies_upon_another(tmp_path, figures):
    """Six files of the same size and the same speed."""
    from matplotlib.text import Text

    results = [result(f"{name}.tflite", 4 + i / 100) for i, name in enumerate("abcdef")]
    plot.plot_report(tmp_path / "bench.png", report(*results, result("z.onnx", 40, size_kb=90)))
    figures[0].draw_without_rendering()
    texts = [Text.get_window_extent(text) for text in figures[0].axes[0].texts]
    assert len(texts) == 7
    for number, one in enumerate(texts):
        assert not [other for other in texts[number + 1 :] if one.overlaps(other)]
        assert one.x1 <= figures[0].axes[0].get_window_extent().x1
