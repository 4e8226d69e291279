"""``edgeemo predict --keep``, on this machine: rows, Parquet files, and what is refused."""

from __future__ import annotations

import csv
import json
import pickle
import re
from pathlib import Path

import pytest
from PIL import Image

MODEL = Path(__file__).resolve().parents[1] / "golden" / "int8.tflite"
_COLUMNS = ["file", "label", "score", "guess", "p(happy)", "p(sad)", "ms", "error"]


@pytest.fixture
def faces(tmp_path):
    """Four images, one of them damaged, one with a name that is no text; and another file."""
    folder = tmp_path / "faces"
    folder.mkdir()
    for index, name in enumerate(("a.jpg", "b.png", "d\udcff.png")):
        Image.new("RGB", (30, 40), (80 * index, 40, 90)).save(folder / name)
    (folder / "c.png").write_bytes((folder / "b.png").read_bytes()[:50])
    (folder / "notes.txt").touch()
    return folder


def drop_times(text):
    """Return printed rows without their milliseconds."""
    return re.sub(r'(?m)(?<=,)[0-9.]+(?=,[^,]*$)|"ms": [0-9.]+|  +[0-9]+\.[0-9]  ', "", text)


def test_what_is_kept_is_one_table_for_other_programs(edgeemo, faces, tmp_path):
    pandas, dataset = pytest.importorskip("pandas"), pytest.importorskip("pyarrow.dataset")
    shown = edgeemo("predict", faces, "--model", MODEL, "--keep", tmp_path / "kept")
    assert (shown.status, shown.out) == (1, "")
    assert re.search(
        r"error: .*c\.png: .*\n(.*\n)*3 predicted \(.*\), 1 could not be read", shown.err
    )
    assert "1 other file passed over (1 .txt)" in shown.err
    table = pandas.read_parquet(tmp_path / "kept")
    assert list(table.columns) == _COLUMNS
    assert list(table["error"].notna()) == [False, False, True, False]
    rows = list(
        csv.DictReader(
            edgeemo("predict", faces, "--model", MODEL, "--format", "csv").out.splitlines()
        )
    )
    assert [float(row["score"]) for row in rows if row["score"]] == pytest.approx(
        list(table["score"].dropna())
    )
    bad = tmp_path / "bad"
    edgeemo("predict", faces / "c.png", "--model", MODEL, "--keep", bad)
    assert dataset.dataset(bad).schema == dataset.dataset(tmp_path / "kept").schema
    summary = json.loads((tmp_path / "kept" / "_summary.json").read_text())
    assert (summary["images"], summary["errors"]) == (4, 1)


@pytest.mark.parametrize("format", ["csv", "jsonl", "table"])
def test_rows_are_those_of_a_plain_run_also_when_continued(edgeemo, faces, tmp_path, format):
    words = ("predict", faces, "--model", MODEL, "--format", format)
    want = drop_times(edgeemo(*words).out)
    for _ in range(2):
        shown = edgeemo(*words, "--keep", tmp_path / "kept", "--resume")
        assert (shown.status, drop_times(shown.out)) == (1, want)


def test_faces_are_a_list_per_image(photos, tmp_path):
    from edgeemo.runtime.classifier import Classifier
    from edgeemo.runtime.predict_work import PredictWork

    parquet = pytest.importorskip("pyarrow.parquet")
    work = PredictWork(Classifier.load("happy-sad"))
    names = [str(photos / "happy" / name) for name in ("00.png", "none.png", "gone.png")]
    results = list(work.run(names, workers=1))
    assert [len(each.predictions) for each in results] == [1, 0, 0]
    parquet.write_table(work.to_table(results), tmp_path / "x.parquet")
    assert work.from_table(parquet.read_table(tmp_path / "x.parquet")) == results
    assert work.to_table(results[2:]).schema == work.to_table(results).schema


def test_workers_get_the_face_detectors_own_file():
    from edgeemo.model.detector_file import DetectorFile
    from edgeemo.runtime.classifier import Classifier
    from edgeemo.runtime.predict_work import PredictWork

    file = DetectorFile(content=b"\x08 of a detector", name="yunet.onnx")
    work = PredictWork(Classifier.load("happy-sad"), detector_file=file)
    there = pickle.loads(pickle.dumps(work))
    assert there._detector_file == file
    there.open()
    assert there.spec == work.spec


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        ("--resume", 2, "--resume requires --keep"),
        ("--keep kept --resume --again", 2, "--resume excludes --again"),
        ("--keep kept --annotate seen", 2, "--keep excludes --annotate"),
        ("--keep kept --model x.keras", 2, "--keep requires an exported model: 'edgeemo export'"),
        ("party.mp4 --keep kept", 2, "--keep takes images; predict party.mp4, a video, without it"),
        ("--cluster 127.0.0.1:1", 1, "--cluster 127.0.0.1:1: no answer (Connection refused)"),
        ("--keep .", 1, ".: has other files in it; name an empty or new folder"),
    ],
)
def test_what_cannot_be_done_is_refused_in_one_line(
    edgeemo, faces, monkeypatch, words, status, message
):
    monkeypatch.chdir(faces)
    shown = edgeemo("predict", "a.jpg", *words.split())
    assert (shown.status, shown.out) == (status, "")
    assert f"error: {message}" in shown.err
    assert not Path("kept").exists()


def test_missing_packages_are_those_of_the_cluster_extra(edgeemo, faces, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "ray", None)
    shown = edgeemo("predict", faces, "--cluster", "auto")
    assert "--cluster auto needs ray, which is not installed" in shown.err
    assert "[cluster]" in shown.err
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    shown = edgeemo("predict", faces, "--keep", "kept")
    assert "--keep kept needs pyarrow" in shown.err
    assert "[cluster]" in shown.err


def test_a_list_on_standard_input_is_taken_and_an_image_is_not(
    edgeemo, faces, tmp_path, monkeypatch
):
    import os

    def run(content):
        (tmp_path / "in").write_bytes(content)
        before, new = os.dup(0), os.open(tmp_path / "in", os.O_RDONLY)
        try:
            os.dup2(new, 0)
            return edgeemo("predict", "-", "--model", MODEL, "--keep", tmp_path / "kept")
        finally:
            os.dup2(before, 0)
            os.close(new)
            os.close(before)

    shown = run((faces / "b.png").read_bytes())
    assert (shown.status, shown.out) == (2, "")
    assert "take a list of paths on standard input, no image" in shown.err
    shown = run(b"%s\n%s\n" % (bytes(faces / "a.jpg"), bytes(faces / "d\udcff.png")))
    assert (shown.status, "2 predicted" in shown.err) == (0, True)
