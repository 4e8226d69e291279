"""benchmarks/face_peers.py on drawn faces, and its face-api network beside the package's own."""

from __future__ import annotations

import importlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

_REPOSITORY = Path(__file__).resolve().parents[2]
_GOLDEN = _REPOSITORY / "models" / "happy-sad" / "golden"
_VOTES = ("neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt",
          "unknown", "no_face")  # fmt: skip
_NODE = """
const fs = require("fs"), [, , folder] = process.argv;
Object.defineProperty(process, "versions", {value: {}});  // as in a browser
globalThis.window = globalThis; globalThis.document = {};
(0, eval)(fs.readFileSync(`${folder}/dist/face-api.js`, "utf8") + ";globalThis.api = faceapi;");
(async () => {
  await api.tf.setBackend("cpu"); await api.tf.ready();
  const model = `${folder}/model/face_expression_model`;
  const [{weights}] = JSON.parse(fs.readFileSync(`${model}-weights_manifest.json`));
  const net = new api.FaceExpressionNet();
  const content = new Uint8Array(fs.readFileSync(`${model}.bin`)).buffer;
  net.loadFromWeightMap(api.tf.io.decodeWeights(content, weights));
  const pixels = new Float32Array(fs.readFileSync(0));
  const batch = api.tf.tensor4d(pixels, [pixels.length / 112 / 112 / 3, 112, 112, 3]);
  const input = Object.create(api.NetInput.prototype);
  input.toBatchTensor = () => batch;
  console.log("\\n" + JSON.stringify(await net.forwardInput(input).array()));
})();
"""


@pytest.fixture
def load(monkeypatch):
    """Function: import a module of benchmarks/."""
    monkeypatch.syspath_prepend(_REPOSITORY / "benchmarks")
    return importlib.import_module


@pytest.fixture
def data(tmp_path):
    """The folders that the benchmark reads, of a few drawn faces and of noise."""
    rng = np.random.default_rng(0)

    def draw(path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 255, (48, 48), np.uint8)).save(path)

    lines = [",".join(("file", "split", "label", *_VOTES))]
    for label in ("happy", "sad", "angry", "fear", "neutral"):
        for split in ("train", "validation", "test"):
            for _ in range(3):
                name = f"fer{len(lines):07}.png"
                draw(tmp_path / "fer2013_original" / split / label / name)
                lines.append(f"{name},{split},{label},0,6,0,4,0,0,0,0,0,0")
    lines.append("fer9999999.png,test,,0,10,0,0,0,0,0,0,0,0")  # as the true file has it
    (tmp_path / "fer2013_original" / "votes.csv").write_text("\n".join(lines) + "\n")
    for label in ("angry", "happy", "sad"):
        for number in range(12):
            draw(tmp_path / "faces_colour" / label / f"{number}.png")
    for number in range(1, 9):
        label = "happy" if number % 2 else "sad"
        folder = tmp_path / ("web_small" if number < 5 else "web_messy") / label
        folder.mkdir(parents=True, exist_ok=True)
        (golden,) = _GOLDEN.glob(f"{number:02}.*")
        shutil.copy(golden, folder)
    return tmp_path


def _run(*words):
    script = _REPOSITORY / "benchmarks" / "face_peers.py"
    return subprocess.run(
        [sys.executable, script, *words], capture_output=True, text=True, check=False
    )


def test_a_run_without_peers(data):
    done = _run("happy-sad", _REPOSITORY / "models" / "happy-sad" / "float32.tflite", data)
    assert done.returncode == 0, done.stderr
    rows = [line.split(" | ") for line in done.stdout.splitlines() if line.startswith("| ")]
    own = {row[0].lstrip("| "): row for row in rows if row[2] == "happy-sad"}
    assert list(own)[:2] == ["FER2013 test", "of these, FER+ is clear"]
    assert [row[1] for row in own.values()] == ["6", "3", "8", own["faces_colour, held out"][1],
                                                "3", "6", "6"]  # fmt: skip
    assert sum(row[-1].rstrip(" |") in {"ahead", "within", "behind"} for row in rows) == len(own)
    assert "fer: left out" in done.stdout
    assert "face-api: left out" in done.stdout


def test_json_is_all_of_the_output(data):
    done = _run("happy-sad", data, "--json")
    result = json.loads(done.stdout)
    assert [row["share"]["n"] for row in result["counts"]] == [3, 6, 6]
    assert result["counts"][2]["share"]["value"] == 1
    assert len(result["left_out"]) == 2


def test_a_model_that_is_not_there(data):
    done = _run("nothing.tflite", data)
    assert done.returncode == 2
    assert "nothing.tflite: no such file" in done.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("ours", "theirs", "sign", "verdict"),
    [(90, 50, 1, "ahead"), (50, 90, 1, "behind"), (52, 50, 1, "within"), (50, 90, -1, "ahead")],
)
def test_compare(load, ours, theirs, sign, verdict):
    rng = np.random.default_rng(0)
    first, second = (rng.permutation(100) < count for count in (ours, theirs))
    found = load("face_rows").compare(first, second, sign=sign)
    assert found.points == pytest.approx(ours - theirs)
    assert found.low < found.points < found.high
    assert found.verdict == verdict


@pytest.mark.parametrize(
    ("votes", "clear", "majority"),
    [
        ((0, 6, 0, 4, 0, 0, 0, 0, 0, 0), True, "happiness"),
        ((0, 5, 0, 5, 0, 0, 0, 0, 0, 0), False, None),
        ((0, 5, 0, 1, 0, 0, 0, 0, 4, 0), False, "happiness"),
        ((0, 4, 0, 0, 0, 0, 0, 0, 3, 3), False, None),
    ],
)
def test_votes(load, votes, clear, majority):
    sets = load("face_sets")
    row = dict(zip(_VOTES, map(str, votes), strict=True))
    assert sets.is_clear(row, "happiness") == clear
    assert sets.find_majority(row) == majority


def test_three_outputs(load):
    models, rows = load("face_models"), load("face_rows")
    model = models.FaceModel(name="three", labels=("happiness", "neither", "sadness"), predict=None)
    scores = np.array([[0.3, 0.5, 0.2], [0.1, 0.2, 0.7], [0.85, 0.1, 0.05]])
    scored = rows.Scored(model=model, scores=scores)
    assert scored.decide(("sadness", "happiness")).tolist() == ["happiness", "sadness", "happiness"]
    assert rows.is_answered(scored).tolist() == [False, True, True]
    assert rows.is_confident(scored, "happiness", "sadness").tolist() == [False, False, True]


def test_the_face_api_network_is_the_packages_own(load, tmp_path):
    places = Path(os.environ.get("EDGEEMO_PEERS", tmp_path)).glob("vladmandic-face-api-*.tgz")
    archive, node = next(places, None), shutil.which("node")
    if archive is None or node is None:
        pytest.skip("needs node, and in EDGEEMO_PEERS what 'npm pack @vladmandic/face-api' loads")
    faces = [path for path in sorted(_GOLDEN.iterdir()) if path.suffix in {".jpg", ".png"}]
    models = load("face_models")
    pixels = np.stack([models.resize(path, 112) for path in faces])
    with tarfile.open(archive) as file:
        file.extractall(tmp_path, filter="data")
    (tmp_path / "run.js").write_text(_NODE)
    done = subprocess.run(
        [node, tmp_path / "run.js", tmp_path / "package"],
        input=pixels.astype(np.uint8).tobytes(), capture_output=True, check=True,
    )  # fmt: skip
    theirs = np.array(json.loads(done.stdout.splitlines()[-1]))
    np.testing.assert_allclose(models.load_face_api(archive).predict(faces), theirs, atol=1e-5)
