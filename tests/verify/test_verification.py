from __future__ import annotations

import json
import shutil
import subprocess
import sys
import zipfile
from dataclasses import replace

import pytest
from PIL import Image

from edgeemo.engines.litert import LiteRTEngine
from edgeemo.errors import DatasetError, ModelFolderError, ParityError
from edgeemo.model.container import seal, unseal
from edgeemo.model.folder import REFERENCE, SPEC, SPLIT, TRAINING, VERIFY_MD, VERIFY_PNG
from edgeemo.model.spec import ModelSpec, Provenance
from edgeemo.model.tables import write_references, write_samples
from edgeemo.model.verified import VERIFY_JSON, is_verified
from edgeemo.utils.files import sha256_file
from edgeemo.utils.serialize import to_plain
from edgeemo.verify import Gates, raise_for_gates, verification, verify

FILES = ("float32.tflite", "int8.tflite", "float32.onnx", "int8.onnx")
OUTPUTS = (VERIFY_JSON, VERIFY_MD, VERIFY_PNG)


def _by_name(report):
    return {file.file: file for file in report.files}


def _seal_again(path, **changes):
    """Seal a file's model with another spec."""
    model, content = unseal(path), path.read_bytes()
    entry_at = content.index(b'"model_bytes": ') + len(b'"model_bytes": ')
    length = int(content[entry_at : content.index(b",", entry_at)])
    path.write_bytes(seal(content[:length], replace(model.spec, **changes), format=model.format))


def _flip_references(folder, count):
    """Turn the first predictions of the reference model into their opposite."""
    rows = folder.read_references()
    turned = [replace(row, scores=row.scores[::-1]) for row in rows[:count]]
    write_references(
        folder.file(REFERENCE), [*turned, *rows[count:]], labels=folder.read_spec().labels
    )
    return [row.path for row in turned]


def test_a_page_holds_tables_and_images(place, edgeemo, tmp_path):
    page = tmp_path / "page.html"
    shown = edgeemo("verify", place.folder.path, "--html", page, "--json")
    assert shown.status == 0, shown.err
    assert json.loads(shown.out)["html"] == str(page)
    html = page.read_text()
    assert "4 files agree with the reference model" in html
    assert 'class="plot scroll"' in html  # photos have no dark form
    assert html.count("data:image/") == 1
    refused = edgeemo("verify", place.folder.path, "--html", tmp_path)
    assert (refused.status, refused.out) == (2, "")


def test_faithful_files_pass_and_count_as_verified(place):
    report = verify(place.folder)
    assert report.passed
    assert [file.file for file in report.files] == list(FILES)
    assert (
        report.verdict
        == "passed: 4 files agree with the reference model within the gates on 40 test images"
    )
    raise_for_gates(report)
    for name in FILES:
        path = place.folder.file(name)
        assert is_verified(path, sha256=sha256_file(path))


def test_the_figures_of_a_file_are_all_there(place):
    file = _by_name(verify(place.folder))["int8.tflite"]
    measured = file.measured
    assert (measured.n, measured.agreement.n) == (40, 40)
    assert measured.agreement.low < 1
    assert 0 < measured.mean_difference < measured.max_difference < 0.05
    assert measured.accuracy.reference.value > 0.6
    assert measured.candidate_ece == pytest.approx(measured.reference_ece, abs=0.02)
    assert file.engine.startswith("ai-edge-litert ")
    assert file.size_bytes == place.folder.file("int8.tflite").stat().st_size
    assert file.sha256 == sha256_file(place.folder.file("int8.tflite"))


def test_verify_json_is_the_report(place):
    report = verify(place.folder)
    written = json.loads(place.folder.file(VERIFY_JSON).read_text())
    assert written == json.loads(json.dumps(to_plain(report)))
    assert written["passed"] is True
    assert {(f["file"], f["passed"]) for f in written["files"]} == {(name, True) for name in FILES}


def test_the_same_inputs_give_the_same_bytes(place):
    verify(place.folder)
    before = {name: place.folder.file(name).read_bytes() for name in OUTPUTS}
    verify(place.folder)
    assert {name: place.folder.file(name).read_bytes() for name in OUTPUTS} == before


def test_a_damaged_file_fails_and_the_others_are_reported(place):
    path = place.folder.file("int8.tflite")
    path.write_bytes(path.read_bytes()[:-900])
    report = verify(place.folder)
    assert {f.file: f.status for f in report.files} == {
        "float32.tflite": "passed",
        "int8.tflite": "failed",
        "float32.onnx": "passed",
        "int8.onnx": "passed",
    }
    assert "int8.tflite" in report.verdict
    assert not is_verified(path, sha256=sha256_file(path))
    with pytest.raises(ParityError, match=r"^not passed: 1 of 4 files \(int8\.tflite: ") as caught:
        raise_for_gates(report)
    assert caught.value.report is report
    assert caught.value.exit_code == 3


def test_altered_weights_fail_their_gate_and_the_flips_are_listed(place):
    onnx = pytest.importorskip("onnx")
    path = place.folder.file("float32.onnx")
    spec, model = unseal(path).spec, onnx.load(path)
    weights = next(each for each in model.graph.initializer if len(each.dims) == 4)
    values = -onnx.numpy_helper.to_array(weights)
    weights.CopyFrom(onnx.numpy_helper.from_array(values, weights.name))
    del model.metadata_props[:]
    path.write_bytes(seal(model.SerializeToString(), spec, format="onnx"))
    file = _by_name(verify(place.folder))["float32.onnx"]
    assert file.status == "failed"
    assert "max |Δp|" in file.reasons[0]
    assert "no flip" not in file.reasons[1]
    assert file.reasons[1].endswith("flips, 0 allowed")
    assert len(file.measured.flips) == int(file.reasons[1].split()[0]) > 1


def test_a_flip_says_which_image_and_both_predictions(place):
    paths = _flip_references(place.folder, 3)
    report = verify(place.folder)
    file, rows = _by_name(report)["float32.tflite"], place.folder.read_references()
    assert [flip.path for flip in file.measured.flips] == paths
    for flip, row in zip(file.measured.flips, rows, strict=False):
        assert flip.sha256 == row.sha256
        assert flip.label == row.label
        assert {flip.reference_label, flip.candidate_label} == {"happy", "sad"}
        assert flip.reference_score == max(row.scores)
        assert flip.candidate_score == pytest.approx(flip.reference_score, abs=1e-6)
    markdown = place.folder.file(VERIFY_MD).read_text()
    assert all(path in markdown for path in paths)


def test_gates_can_be_overridden(place):
    _flip_references(place.folder, 2)
    assert not verify(place.folder).passed
    loose = Gates(float32_max_dp=1, float32_max_flips=2, max_flips=2)
    assert verify(place.folder, gates=loose).passed
    assert json.loads(place.folder.file(VERIFY_JSON).read_text())["gates"]["max_flips"] == 2


def test_stricter_gates_are_reported_and_leave_the_folder_verified(place):
    assert verify(place.folder).passed
    before = place.folder.file(VERIFY_JSON).read_bytes()
    strict = verify(place.folder, gates=Gates(float32_max_dp=0, max_flips=0))
    assert _by_name(strict)["float32.tflite"].reasons[0].endswith("allowed 0")
    assert strict.gates.float32_max_dp == 0
    assert place.folder.file(VERIFY_JSON).read_bytes() == before


def test_a_file_that_misses_the_own_gates_is_unverified_whatever_gates_are_given(place):
    _flip_references(place.folder, 2)
    assert not verify(place.folder, gates=Gates(float32_max_dp=0)).passed
    assert not json.loads(place.folder.file(VERIFY_JSON).read_text())["passed"]


@pytest.mark.parametrize(
    ("changes", "named"),
    [({"labels": ("sad", "happy")}, "labels"), ({"threshold": 0.6}, "threshold")],
)
def test_a_file_with_another_spec_than_the_folder_fails(place, changes, named):
    _seal_again(place.folder.file("int8.tflite"), **changes)
    file = _by_name(verify(place.folder))["int8.tflite"]
    assert file.status == "failed"
    assert f"differs from that of the model folder in {named};" in file.reasons[0]


def test_the_provenance_may_differ(place):
    _seal_again(place.folder.file("int8.tflite"), provenance=Provenance(source_sha256="ab"))
    assert verify(place.folder).passed


def test_images_are_found_wherever_they_lie_now(place, tmp_path):
    for number, path in enumerate(sorted(place.data.rglob("*.png"))):
        target = tmp_path / "elsewhere" / str(number % 3) / f"renamed-{number}.jpg"
        target.parent.mkdir(parents=True, exist_ok=True)
        path.rename(target)
    assert verify(place.folder, data=tmp_path / "elsewhere").passed


def test_images_are_found_in_a_zip(place, tmp_path):
    with zipfile.ZipFile(tmp_path / "faces.zip", "w") as archive:
        for path in place.data.rglob("*.png"):
            archive.write(path, path.relative_to(place.data))
    shutil.rmtree(place.data)
    assert verify(place.folder, data=tmp_path / "faces.zip").passed


def test_missing_images_are_counted_and_the_first_is_named(place):
    for number in (4, 7):
        next(place.data.rglob(f"{number:03}.png")).unlink()
    with pytest.raises(DatasetError) as caught:
        verify(place.folder)
    message = str(caught.value)
    assert "2 of 40 test images" in message
    assert "happy/004.png" in message
    assert "--data" in message
    assert not place.folder.file(VERIFY_JSON).exists()


def test_a_vanished_data_folder_asks_for_another(place):
    shutil.rmtree(place.data)
    with pytest.raises(DatasetError, match=r"faces: .* no longer there; .*--data"):
        verify(place.folder)


def test_a_folder_that_does_not_know_its_data_asks_for_it(place):
    place.folder.file(TRAINING).unlink()
    with pytest.raises(DatasetError, match="--data"):
        verify(place.folder)


def test_a_test_image_that_is_none_is_named(place):
    rows, samples = place.folder.read_references(), place.folder.read_samples()
    broken = place.data / rows[0].path
    broken.write_bytes(b"GIF89a is not enough")
    sha256 = sha256_file(broken)
    swap = [replace(row, sha256=sha256) if row.path == rows[0].path else row for row in rows]
    write_references(place.folder.file(REFERENCE), swap, labels=("happy", "sad"))
    swap = [replace(row, sha256=sha256) if row.path == rows[0].path else row for row in samples]
    write_samples(place.folder.file(SPLIT), swap)
    with pytest.raises(DatasetError, match=r"happy/000\.png.*--data"):
        verify(place.folder)


def test_without_onnxruntime_its_files_are_not_run_and_not_passed(place, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    report = verify(place.folder)
    assert [file.status for file in report.files] == ["passed", "passed", "not run", "not run"]
    assert "[onnx]'" in report.files[2].reasons[0].partition(" -m pip install ")[2]
    assert not report.passed
    assert is_verified(
        place.folder.file("int8.tflite"), sha256=sha256_file(place.folder.file("int8.tflite"))
    )


@pytest.mark.parametrize(
    ("outcome", "reason"),
    [(RuntimeError("node 3 failed"), "node 3 failed"), ([float("nan")], "NaN or infinity")],
)
def test_an_engine_that_fails_on_the_way_fails_its_file_alone(place, monkeypatch, outcome, reason):
    def run(engine, pixels):
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    monkeypatch.setattr(LiteRTEngine, "run", run)
    report = verify(place.folder)
    assert [file.status for file in report.files] == ["failed", "failed", "passed", "passed"]
    assert reason in report.files[0].reasons[0]


def test_files_that_all_fail_to_load_still_give_a_whole_report(place):
    for name in FILES:
        place.folder.file(name).write_bytes(b"nothing")
    report = verify(place.folder)
    assert [file.status for file in report.files] == ["failed"] * 4
    assert all(place.folder.file(name).exists() for name in OUTPUTS)


def test_an_image_is_decoded_once_for_all_files(place, monkeypatch):
    decoded = []

    def counting(source, spec, **options):
        decoded.append(source)
        return preprocess(source, spec, **options)

    preprocess = verification.preprocess
    monkeypatch.setattr(verification, "preprocess", counting)
    verify(place.folder)
    assert len(decoded) == len(set(decoded)) == 40


def test_verify_json_comes_last(place, monkeypatch):
    def fail(document):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(verification, "to_markdown", fail)
    with pytest.raises(OSError, match="space"):
        verify(place.folder)
    assert not place.folder.file(VERIFY_JSON).exists()


def test_few_images_prove_no_99_per_cent(place):
    report = verify(place.folder)
    notes = {file.file: file.notes for file in report.files}
    assert "99 % agreement" in notes["int8.tflite"][0]
    assert "unproven" in notes["int8.onnx"][0]
    assert notes["float32.tflite"] == ()
    assert place.folder.file(VERIFY_MD).read_text().count("unproven") == len(report.notes) == 1


def test_the_images_are_shown_even_where_nothing_flips(place):
    verify(place.folder)
    with Image.open(place.folder.file(VERIFY_PNG)) as sheet:
        assert sheet.format == "PNG"
        assert sheet.width > 1000


def test_no_exported_file_says_what_to_run(place):
    for name in FILES:
        place.folder.file(name).unlink()
    with pytest.raises(ModelFolderError, match="edgeemo export"):
        verify(place.folder)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda rows: [], "lists no test image"),
        (lambda rows: rows[:-1], "does not cover the test split"),
        (lambda rows: [replace(rows[0], label="calm"), *rows[1:]], "unknown label 'calm'"),
        (lambda rows: [replace(rows[0], scores=(1.0,)), *rows[1:]], "no 2 probabilities"),
        (lambda rows: [replace(rows[0], scores=(1.0, float("nan"))), *rows[1:]], "probabilities"),
    ],
)
def test_unusable_reference_predictions_are_refused(place, change, message):
    rows = change(place.folder.read_references())
    write_references(place.folder.file(REFERENCE), rows, labels=("happy", "sad"))
    with pytest.raises(ModelFolderError, match=message):
        verify(place.folder)


def test_the_folders_own_spec_decides(place):
    """A threshold of the folder's that no file has fails every file, not just some."""
    spec = replace(place.folder.read_spec(), threshold=0.9)
    assert isinstance(spec, ModelSpec)
    place.folder.file(SPEC).write_text(spec.to_json())
    assert [file.status for file in verify(place.folder).files] == ["failed"] * 4


def test_a_fresh_interpreter_loads_nothing_heavy(place):
    script = (
        "import sys; from edgeemo.model.folder import open_folder; "
        "from edgeemo.verify import verify; "
        f"assert verify(open_folder({str(place.folder.path)!r})).passed; "
        "heavy = {'tensorflow', 'keras', 'matplotlib', 'imagehash', 'typer', 'rich'}; "
        "sys.stdout.write(','.join(sorted(heavy & set(sys.modules))))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], check=False, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_hesitant_models_files_are_held_against_its_spec(place, hesitant):
    folder = place.folder
    folder.file(SPEC).write_text(replace(folder.read_spec(), min_confidence=0.75).to_json())
    hesitant("int8.tflite", folder.path, 0.75)
    hesitant("int8.onnx", folder.path, 0.7)
    files = _by_name(verify(folder))
    found = files["int8.tflite"].measured.selective_accuracy
    assert 0 < found.candidate.count < 40
    assert found.candidate.count == pytest.approx(found.reference.count, abs=2)
    for name in ("float32.tflite", "int8.onnx"):
        assert "differs from that of the model folder in min_confidence" in files[name].reasons[0]
    assert '"not sure"' in folder.file(VERIFY_MD).read_text()
