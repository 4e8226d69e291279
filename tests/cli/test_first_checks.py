"""A mistake is told in one line, before a heavy package is imported or an image is read."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from edgeemo.dataset import draw_faces

GOLDEN = Path(__file__).resolve().parents[1] / "golden"

HEAVY = (
    "tensorflow", "keras", "h5py", "tf2onnx", "onnx", "onnxruntime", "ai_edge_litert", "optuna",
    "jax", "scipy", "imagehash", "cv2", "matplotlib", "jinja2", "tensorboard",
)  # fmt: skip

MISTAKES = [
    # Commands and options.
    ("trian", 2, "command 'trian' is unknown; did you mean 'train'?"),
    ("foo", 2, "command 'foo' is unknown; choose from train, tune, recipes"),
    ("data foo", 2, "command 'foo' is unknown; choose from check, review"),
    ("train --foo", 2, "option '--foo' is unknown (see 'edgeemo train -h')"),
    ("train --epoch 3", 2, "option '--epoch' is unknown; did you mean '--epochs'?"),
    ("info --foo", 2, "option '--foo' is unknown; choose from --json, "),
    ("train more", 2, "got unexpected extra argument(s) (more)"),
    ("train --data", 2, "option '--data' requires an argument"),
    ("predict", 2, "missing argument 'FILE|DIR|ADDRESS|-...'"),
    ("data clean faces", 2, "missing option '--out'"),
    # The images.
    ("train --data gone", 1, "gone: no such folder or .zip file"),
    ("train --data file", 1, "file: not a .zip file, or a damaged one"),
    ("train --data empty", 1, "empty: no classes here; make one sub-folder per class"),
    ("train --data ''", 2, "--data must be a path, not ''"),
    ("train --data faces --labels happy,bad", 1, "no folder for bad (did you mean 'sad'?)"),
    ("train --data faces --accept gfi", 2, "cannot accept gfi; --accept takes webp and gif"),
    ("train --data faces --ratios 1,2", 2, "--ratios must be a list of 3 numbers, not '1,2'"),
    ("train --data faces --ratios 1,2,3", 2, "ratios must be three shares that add up to 1"),
    ("tune --data gone", 1, "gone: no such folder or .zip file"),
    ("tune --data faces --labels happy", 1, "a folder but no label for sad"),
    ("data check gone", 1, "gone: no such folder or .zip file"),
    ("data check file", 1, "file: not a .zip file, or a damaged one"),
    ("data check faces --accept foo", 2, "cannot accept foo"),
    ("data clean gone --out x", 1, "gone: no such folder or .zip file"),
    ("data split gone --out x", 1, "gone: no such folder or .zip file"),
    ("data split faces --out x --ratios 1,2,3", 2, "ratios must be three shares"),
    ("data crop file --out x", 1, "file: not a .zip file, or a damaged one"),
    ("export my.keras --labels a,b --scale 1 --data gone", 1, "gone: no such folder or .zip file"),
    ("export mine --calibration mse", 2, "--calibration requires --int8"),
    ("export mine --keep-float dense", 2, "--keep-float requires --int8"),
    ("export mine --auto", 2, "--auto requires --int8"),
    ("export mine --int8 --auto --max-size-kb 0", 2, "--max-size-kb must be more than 0, not"),
    ("export mine --int8 --max-size-kb 9", 2, "--max-size-kb requires --auto"),
    ("export mine --int8 --auto --keep-float a", 2, "itself: leave out --keep-float"),
    ("train --data faces --int8-aware", 2, "--int8-aware requires --from: a trained model"),
    (
        "train --data faces --int8-aware --from happy-sad --ema 0.9",
        2,
        "--int8-aware excludes --ema",
    ),
    ("verify mine --data gone", 1, "gone: no such folder or .zip file"),
    # The place of the outcome.
    ("train --data faces --out empty", 1, "empty: exists already; choose another --out, or"),
    ("train --data faces --out file --force", 1, "file: not a model folder; --force does not"),
    ("train --data faces --out file/x", 1, "file/x: cannot be made, since file is not a folder"),
    ("train --data faces --out /proc/x", 1, "/proc/x: cannot be made in /proc: "),
    ("train --data faces --out faces/x", 1, "faces/x: overlaps with the images in faces"),
    ("tune --data faces --out mine", 1, "mine: exists already"),
    ("tune --data faces --out file/x", 1, "file/x: cannot be made, since file is not a folder"),
    ("data clean faces --out faces", 2, "--out: faces is where the images are"),
    ("data clean faces --out faces/x", 1, "faces/x: must be neither inside nor around faces"),
    ("data clean faces --out empty", 1, "empty: exists already; --force replaces what edgeemo"),
    ("data split faces --out file/x", 1, "file/x: cannot be made in file: not a directory"),
    ("data crop faces --out /proc/x", 1, "/proc/x: cannot be made in /proc: "),
    ("data draw file", 1, "file: exists already"),
    ("data draw file/x", 1, "file/x: cannot be made in file: not a directory"),
    ("data check faces --html empty", 2, "--html: empty is not a file in a folder"),
    ("data check faces --html gone/x.html", 2, "--html: gone/x.html is not a file in a folder"),
    ("predict faces --model int8.tflite --annotate file", 1, "file: Not a directory"),
    ("bench mine --out file", 1, "file: cannot be written to (File exists)"),
    ("bundle int8.tflite --out empty", 1, "empty: exists already"),
    (
        "bundle int8.tflite --out file/x.pyz",
        1,
        "file/x.pyz: cannot be written to file: Not a directory",
    ),
    # Files of options, and an interrupted training.
    ("train --config gone.toml", 1, "gone.toml: no such file or directory"),
    ("train --config empty", 1, "empty: is a directory"),
    ("train --config broken.toml", 1, "broken.toml: not TOML"),
    ("train --config key.toml", 1, "key.toml: key 'epoch' is unknown; did you mean 'epochs'?"),
    ("train --config value.toml", 1, "value.toml: epochs must be a whole number, not 'x'"),
    ("tune --config gone.toml", 1, "gone.toml: no such file or directory"),
    ("train --resume", 1, "models: no interrupted training here; name it with --out"),
    ("train --resume --out gone", 1, "gone: no interrupted training to resume"),
    # Names and numbers.
    ("train --data faces --recipe focl", 2, "recipe 'focl' is unknown; did you mean 'focal'?"),
    ("train --data faces --recipe foo", 2, "recipe 'foo' is unknown; choose from filters-16-32"),
    ("train --data faces --arch cnn-bm-64", 2, "did you mean 'cnn-bn-64'? Choose from"),
    ("train --data faces --arch foo", 2, "architecture 'foo' is unknown; choose from cnn-16-32"),
    ("train --data faces --split gruped", 2, "--split must be grouped or random, not 'gruped'"),
    ("train --data faces --augment foo", 2, "--augment must be none, light, strong or camera"),
    ("train --data faces --channels 2", 2, "--channels must be 1 or 3, not '2'"),
    (
        "train --data faces --mode plain --size 5",
        2,
        "cnn-16-32-16 requires images of at least 22 pixels",
    ),
    ("train --data faces --size 0", 2, "--size must be 1 to 4,096, not 0"),
    ("train --data faces --epochs 1e3", 2, "--epochs must be a whole number, not '1e3'"),
    ("train --data faces --lr nan", 2, "--lr must be more than 0 and less than 1,000, not nan"),
    ("train --data faces --metrics acc", 2, "not 'acc'; did you mean 'auc'?"),
    ("train --data faces --class-weights=3", 2, "option '--class-weights' does not take a value"),
    ("train --data faces --save-keras a/x.keras", 2, "--save-keras must be a file name"),
    ("train --data faces --workers 2 --minutes 9", 2, "--workers 2 excludes --minutes"),
    ("train --data faces --teacher-weight 0.5", 2, "--teacher-weight requires --teacher"),
    ("train --data faces --cropped", 2, "--cropped requires --faces"),
    ("train --data faces --face-score 0.5", 2, "--face-score requires --faces"),
    ("train --data faces --mode plain --from imagenet", 2, "cnn-16-32-16 has no ImageNet weights"),
    ("tune --data faces --arch foo", 2, "architecture 'foo' is unknown"),
    ("tune --data faces --filters x", 2, "--filters must be a list of whole numbers, not 'x'"),
    ("tune --data faces --objective acc", 2, "--objective must be accuracy or loss, not 'acc'"),
    ("tune --data faces --take 3 --search-only", 2, "--search-only excludes --take"),
    ("tune --data faces --max-size-kb 0", 2, "--max-size-kb must be more than 0"),
    ("export mine --format tfilte", 2, "not 'tfilte'; did you mean 'tflite'?"),
    ("export mine --float16 --format onnx", 2, "float16 and dynamic require the format tflite"),
    ("export mine --threshold 0.3", 2, "--threshold: only for your own Keras model"),
    ("export mine --offset -1", 2, "--offset: only for your own Keras model"),
    ("verify mine --max-flips -1", 2, "--max-flips must be at least 0, not -1"),
    ("predict faces --format josn", 2, "not 'josn'; did you mean 'jsonl'?"),
    ("predict faces --threads 0", 2, "--threads must be at least 1, not 0"),
    ("predict faces --no-faces --face-score 1", 2, "--no-faces excludes --face-detector"),
    ("bench mine --threads x", 2, "--threads must be a list of whole numbers, not 'x'"),
    ("bench mine --max-p99-ms 5", 2, "--max-p99-ms requires --pick"),
    ("bench mine --pick --max-p99-ms 0", 2, "--max-p99-ms must be more than 0"),
    ("bench int8.tflite --pick", 2, "--pick requires one model folder of yours"),
    ("bundle mine --golden tset", 2, "not 'tset'; did you mean 'test'?"),
    ("bundle mine --data faces", 2, "--data requires --golden test"),
    ("bundle mine --wheels ''", 2, "--wheels: name at least one Python, such as cp311"),
    ("bundle mine --wheels cp27", 2, "cp27: not a Python tag; give cp311 for Python 3.11"),
    ("evaluate happy-sad", 2, "missing option '--data'"),
    ("evaluate happy-sad --data gone", 1, "gone: no such folder or .zip file"),
    ("evaluate happy-sad --data file", 1, "file: not a .zip file, or a damaged one"),
    ("evaluate gone --data faces", 1, "gone: no such file or folder"),
    ("evaluate happy-sad --data faces --rename joy", 2, "--rename must be FOLDER=LABEL"),
    ("evaluate happy-sad --data faces --slice foo", 2, "--slice must be folder, for the sub-"),
    ("evaluate happy-sad --data faces --split tset", 2, "not 'tset'; did you mean 'test'?"),
    ("evaluate happy-sad --data faces --min-auc 2", 2, "--min-auc must be 0 to 1, not 2"),
    ("evaluate happy-sad --data faces --html gone/x.html", 2, "--html: gone/x.html is not a file"),
    ("compare happy-sad --data faces", 2, "two or more models are compared; 'edgeemo evaluate"),
    ("compare happy-sad happy-sad --data faces", 2, "a model is named twice"),
    ("compare happy-sad gone --data faces", 1, "gone: no such file or folder"),
    ("compare happy-sad emotions --data gone", 1, "gone: no such folder or .zip file"),
    ("models --default gone", 1, "models: model 'gone' is unknown; choose from "),
    ("data crop faces --out x --size 0", 2, "--size must be 1 to 4,096, not 0"),
    ("data clean faces --out x --link simlink", 2, "not 'simlink'; did you mean 'symlink'?"),
    ("data draw x --count 1", 2, "--count must be at least 2, not 1"),
    # Other files.
    ("train --data faces --arch vgg16 --from gone.h5", 1, "gone.h5: no such weights file"),
    ("train --data faces --arch vgg16 --from file", 1, "file: vgg16 starts from a model folder"),
    ("train --data faces --teacher gone", 1, "gone: no such model; name a model folder or a"),
    ("train --data faces --teacher file", 1, "file: a teacher is a model folder or a .keras file"),
    ("train --data faces --teacher empty", 1, "empty: model.keras is missing"),
    ("train --data faces --track logs", 2, "--track must be mlflow: and an address, such as"),
    ("train --data faces --tensorboard file", 1, "file: cannot be written to (Not a directory)"),
    ("train --data faces --faces --face-model gone", 1, "gone: cannot be read: No such file"),
    ("train --data faces --faces --face-model file", 1, "file: not an ONNX file"),
    ("data crop faces --out x --face-model empty", 1, "empty: cannot be read: Is a directory"),
    ("bench mine --compare gone.json", 1, "gone.json: cannot be read: No such file"),
    ("bench mine --from file", 1, "file: not a report of this version's"),
    # Models.
    ("predict faces --model gone", 1, "gone: no such file or folder; there are models/first, "),
    ("predict faces --model models/frist", 1, "did you mean models/first?"),
    ("predict faces --model first", 1, "first: no such file or folder; did you mean models/first?"),
    ("predict faces --model emotion", 1, "no such file or folder; did you mean emotions?"),
    ("predict faces --model gone.keras", 1, "gone.keras: no such file or folder"),
    ("predict faces --model empty", 1, "empty: not a model folder (it has no spec.json)"),
    ("predict faces --model file", 1, "file: not a model that edgeemo runs"),
    ("info gone", 1, "gone: no such file or folder"),
    ("info file", 1, "file: a file, not a model folder; name the folder"),
    ("info face.pyz", 1, "face.pyz: a bundle, which runs by itself: 'python3 face.pyz info'"),
    ("bench gone", 1, "gone: no such file or folder"),
    ("bench face.pyz", 1, "face.pyz: a bundle"),
    ("bundle gone", 1, "gone: no such file or folder"),
    ("bundle mine --file int8.tflit", 1, "file 'int8.tflit' is unknown; did you mean 'int8.tflite"),
    ("bundle mine --file foo", 1, "file 'foo' is unknown; choose from int8.tflite"),
    ("bundle mine --file float16.tflite", 1, "float16.tflite is missing; 'edgeemo export mine'"),
    ("export gone", 1, "gone: no such file or folder"),
    ("export gone.keras", 1, "gone.keras: no such file or folder"),
    ("export int8.tflite", 1, "int8.tflite: a file, not a model folder"),
    ("verify gone", 1, "gone: no such file or folder"),
    ("verify mine/int8.tflite", 1, "a file, not a model folder; name the folder: mine"),
    ("verify empty", 1, "empty: not a model folder (it has no spec.json); there are models/first"),
]

_RUN = """
import contextlib, io, json, os, shlex, sys
from edgeemo.cli.start import main
answer = os.fdopen(os.dup(1), "w")  # an OSError drops standard output
results = []
for words in json.load(sys.stdin):
    sys.argv = ["edgeemo", *shlex.split(words)]
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main()
        except SystemExit as ended:
            status = ended.code
    loaded = [name for name in sys.argv_heavy if name in sys.modules]
    results.append([status, out.getvalue(), err.getvalue(), loaded])
answer.write(json.dumps(results))
answer.close()
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory, spec48) -> Path:
    """A folder with a little of everything."""
    place = tmp_path_factory.mktemp("place")
    draw_faces(place / "faces", count=4, size=24, seed=1)
    (place / "empty").mkdir()
    for name, text in {
        "file": "x",
        "face.pyz": "x",
        "broken.toml": "epochs =",
        "key.toml": "epoch = 3",
        "value.toml": "epochs = 'x'",
    }.items():
        (place / name).write_text(text)
    for folder in ("models/first", "models/second", "mine"):
        (place / folder).mkdir(parents=True)
        (place / folder / "spec.json").write_text(spec48.to_json())
    content = (GOLDEN / "int8.tflite").read_bytes()
    for name in ("int8.tflite", "mine/int8.tflite"):
        (place / name).write_bytes(content)
    (place / "my.keras").write_text("x")
    return place


@pytest.fixture(scope="module")
def told(place) -> dict[str, list]:
    """Every mistake, made in one fresh interpreter: status, outputs, heavy modules so far."""
    words = [words for words, _, _ in MISTAKES]
    script = f"import sys; sys.argv_heavy = {HEAVY!r}\n{_RUN}"
    before = sorted(map(str, place.rglob("*")))
    ran = subprocess.run(
        [sys.executable, "-c", script],
        input=json.dumps(words),
        capture_output=True,
        text=True,
        cwd=place,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert sorted(map(str, place.rglob("*"))) == before
    return dict(zip(words, json.loads(ran.stdout), strict=True))


@pytest.mark.parametrize(("words", "status", "message"), MISTAKES)
def test_a_mistake_is_one_line_before_anything_heavy(told, words, status, message):
    found, out, err, loaded = told[words]
    assert message in err
    assert (found, out, err.count("\n"), loaded) == (status, "", 1, [])
    assert err.startswith("error: ")


MISSING = [
    ("train --data faces", "tensorflow", "training needs tensorflow", "train"),
    ("train --data faces", "keras", "training needs keras", "train"),
    ("train --data faces", "imagehash", "training needs imagehash", "train"),
    ("train --data faces", "matplotlib", "training needs matplotlib", "train"),
    ("train --data faces", "jinja2", "training needs jinja2", "train"),
    ("train --data faces", "tomli_w", "training needs tomli-w", "train"),
    ("train --data faces --recipe focal", "tensorboard", "--recipe focal needs", "tensorboard"),
    ("train --data faces --tensorboard logs", "tensorboard", "--tensorboard logs", "tensorboard"),
    ("train --data faces --track mlflow:sqlite:///x.db", "mlflow", "--track mlflow:sql", "mlflow"),
    ("train --data faces --workers 2", "ray", "--workers 2 needs ray", "distributed"),
    ("train --data faces --cluster auto", "ray", "--cluster auto needs ray", "distributed"),
    (
        "train --data faces --faces --face-detector cascade",
        "cv2",
        "--face-detector cascade needs opencv-python-headless",
        "faces",
    ),
    ("tune --data faces", "optuna", "edgeemo tune needs optuna", "tune"),
    ("tune --data faces", "tensorflow", "edgeemo tune needs tensorflow", "tune"),
    ("export mine", "tensorflow", "exporting a model needs tensorflow", "train"),
    ("export mine", "tf2onnx", "exporting a model needs tf2onnx", "train"),
    ("export mine", "onnxruntime", "exporting a model needs onnxruntime", "train"),
    ("data check faces", "scipy", "preparing images needs scipy", "data"),
    ("data check faces --html x.html", "jinja2", "--html needs jinja2", "data"),
    ("data clean faces --out x", "imagehash", "preparing images needs imagehash", "data"),
    ("data split faces --out x", "scipy", "preparing images needs scipy", "data"),
    ("data crop faces --out x --face-detector cascade", "cv2", "--face-detector cascade", "faces"),
    ("predict faces --face-detector cascade", "cv2", "--face-detector cascade", "faces"),
    ("bundle mine --face-detector cascade", "cv2", "--face-detector cascade needs", "faces"),
]


@pytest.mark.parametrize(("words", "module", "message", "extra"), MISSING)
def test_a_missing_package_is_told_first(
    edgeemo, place, monkeypatch, words, module, message, extra
):
    monkeypatch.chdir(place)
    monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.setattr("edgeemo.model.keras.import_keras", lambda: pytest.fail("imported"))
    shown = edgeemo(*words.split())
    assert (shown.status, shown.out, shown.err.count("\n")) == (1, "", 1)
    assert shown.err.startswith(f"error: {message}")
    assert f"{sys.executable} -m pip install" in shown.err
    assert f"[{extra}]" in shown.err


def test_onnx_packages_are_not_needed_for_tflite_alone(edgeemo, place, monkeypatch):
    monkeypatch.chdir(place)
    monkeypatch.setitem(sys.modules, "tf2onnx", None)
    shown = edgeemo("export", "mine", "--format", "tflite")
    assert "model.keras is missing" in shown.err
