"""An evaluation whose outcomes are kept: the rows, and what a continued run does again."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from edgeemo.bulk import options as options_module
from edgeemo.dataset import draw_faces
from edgeemo.errors import DatasetError, OptionError, OutputError
from edgeemo.evaluate import EvaluationOptions, evaluate
from edgeemo.evaluate.evaluate_work import EvaluateWork
from edgeemo.evaluate.labelled import LabelledImage
from edgeemo.evaluate.outcome import Outcome
from edgeemo.model.container import unseal
from edgeemo.model.tables import Sample, write_samples
from edgeemo.runtime.classifier import Classifier
from edgeemo.utils.files import sha256_file

pytest.importorskip("pyarrow")

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
MODEL = GOLDEN / "float32.tflite"


@pytest.fixture
def faces(tmp_path, monkeypatch):
    """Return 45 images, 5 of an unknown class and one unreadable, in blocks of 8."""
    monkeypatch.setattr(EvaluateWork, "block_size", 8)
    folder = tmp_path / "faces"
    draw_faces(folder, count=40, size=32, seed=3)
    (folder / "grim").mkdir()
    for path in sorted((folder / "sad").iterdir())[:5]:
        shutil.copy(path, folder / "grim")
    (folder / "happy" / "broken.jpg").write_bytes(b"no image")
    return folder


@pytest.fixture
def predicted(monkeypatch):
    """Return the list of the images that are predicted, which grows."""
    paths, predict = [], Classifier.predict_result

    def spy(self, source, **kwargs):
        paths.append(Path(source).name)
        return predict(self, source, **kwargs)

    monkeypatch.setattr(Classifier, "predict_result", spy)
    return paths


def test_a_continued_run_has_the_same_figures_and_predicts_what_is_missing_alone(
    faces, predicted, tmp_path
):
    options = EvaluationOptions(workers=1, keep=tmp_path / "kept")
    plain = evaluate(MODEL, faces, options=EvaluationOptions(workers=1))
    kept = evaluate(MODEL, faces, options=options, html=tmp_path / "kept.html")
    parts = sorted((tmp_path / "kept").glob("*.parquet"))
    assert len(parts) == 6
    parts[2].unlink()
    predicted.clear()
    resumed = evaluate(
        MODEL, faces, options=replace(options, resume=True), html=tmp_path / "resumed.html"
    )
    assert len(predicted) == 8
    rate = plain.images_per_second
    assert replace(kept, images_per_second=rate) == plain
    assert replace(resumed, images_per_second=rate) == plain
    assert (tmp_path / "resumed.html").read_text() == (tmp_path / "kept.html").read_text()


def test_images_of_the_training_are_not_predicted_and_have_rows_that_say_so(
    faces, predicted, tmp_path
):
    from pyarrow import parquet

    model = tmp_path / "mine"
    model.mkdir()
    shutil.copy(MODEL, model)
    (model / "spec.json").write_text(unseal(MODEL).spec.to_json())
    learnt = [*sorted(faces.glob("happy/*"))[6:10], *sorted(faces.glob("sad/*"))[-1:]]
    write_samples(
        model / "split.csv",
        [
            Sample(path=path.name, label="sad", split="train", sha256=sha256_file(path))
            for path in learnt
        ],
    )
    options = EvaluationOptions(workers=1, exclude_trained=True, keep=tmp_path / "kept")
    found = evaluate(model, faces, options=options)
    assert (found.overall.n, found.trained_on) == (35, 0)
    assert not {path.name for path in learnt} & set(predicted)
    rows = parquet.read_table(tmp_path / "kept").to_pylist()
    assert {row["path"] for row in rows if row["trained_on"]} == {
        path.relative_to(faces).as_posix() for path in learnt
    }
    resumed = evaluate(model, faces, options=replace(options, resume=True))
    assert replace(resumed, images_per_second=found.images_per_second) == found


def test_a_kept_run_has_a_row_per_image(faces, tmp_path):
    from pyarrow import parquet

    found = evaluate(MODEL, faces, options=EvaluationOptions(keep=tmp_path / "kept"))
    rows = parquet.read_table(tmp_path / "kept").to_pylist()
    assert len(rows) == 46
    first = next(row for row in rows if row["path"] == found.mistakes[0].path)
    assert first["label"] == first["folder"] == found.mistakes[0].truth
    assert first["predicted"] == found.mistakes[0].prediction
    assert first[f"p({first['predicted']})"] == first["score"] == found.mistakes[0].confidence
    broken = [row for row in rows if row["error"]]
    assert [(row["path"], row["predicted"], row["score"]) for row in broken] == [
        ("happy/broken.jpg", None, None)
    ]
    assert {row["label"] for row in rows if row["folder"] == "grim"} == {None}


def test_another_run_is_neither_continued_nor_replaced_unasked(faces, tmp_path):
    options = EvaluationOptions(workers=1, keep=str(tmp_path / "kept"))
    evaluate(MODEL, faces, options=options)
    with pytest.raises(OutputError, match=r"has a complete run; --resume continues it, --again"):
        evaluate(MODEL, faces, options=options)
    with pytest.raises(OutputError, match=r"the run there differs in model_sha256"):
        evaluate(GOLDEN / "int8.tflite", faces, options=replace(options, resume=True))
    (faces / "sad" / "0.jpg").symlink_to(next((faces / "happy").iterdir()))
    with pytest.raises(DatasetError, match=r"not those of the run that is continued"):
        evaluate(MODEL, faces, options=replace(options, resume=True))
    assert evaluate(MODEL, faces, options=replace(options, again=True)).overall.n == 41


def test_rows_hold_outcomes_to_the_bit():
    work = EvaluateWork(Classifier.load(MODEL), Path("root"), name="faces")
    image = LabelledImage("happy/a.jpg", "happy", "happy", within="")
    outcomes = [
        Outcome(image, "happy", "happy", 0.1 + 0.2, (0.1 + 0.2, 1 / 3), box=(1, -2, 3, 4)),
        Outcome(replace(image, label=None, folder="grim"), "not sure", "sad", 0.5, (0.5, 0.5)),
        Outcome(image, "no face"),
        Outcome(replace(image, path="happy/\udcff.jpg"), "", error="happy/\udcff.jpg: broken"),
        work.fail(image, "its worker process was ended by SIGSEGV"),
    ]
    assert work.from_table(work.to_table(outcomes)) == outcomes
    assert outcomes[-1].error == "faces/happy/a.jpg: its worker process was ended by SIGSEGV"


@pytest.mark.parametrize(
    ("options", "model", "data", "says"),
    [
        ({"resume": True}, MODEL, "faces", "--resume requires --keep"),
        ({"again": True}, MODEL, "faces", "--again requires --keep"),
        ({"keep": "k", "resume": True, "again": True}, MODEL, "faces", "--resume excludes --again"),
        ({"cluster": "a:1"}, "mine/model.keras", "faces", "requires an exported model"),
        ({"cluster": "a:1"}, MODEL, "faces.zip", "images that every node can read: unpack"),
    ],
)
def test_options_that_cannot_hold_are_refused_at_once(
    options, model, data, says, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(options_module, "require_packages", lambda *_, **__: None)
    Path("faces").mkdir()
    shutil.make_archive("faces", "zip", "faces")
    with pytest.raises(OptionError, match=says):
        evaluate(model, data, options=EvaluationOptions(**options))
