"""Make the shipped models again: from the trained weights to the files.

    python models/make_models.py $EDGEEMO_DATA              # or: ... $EDGEEMO_DATA emotions

``models/weights``, which ``models/train_faces.py`` trains, holds two networks. The first gives the
probabilities of happy, of neither and of sad. FER2013 holds more faces that are neither than the
other two together; happy-sad is calibrated on FER2013's validation images, takes those faces for a
quarter as frequent from then on, and is verified with every fourth of them. The second is emotions
as it is. A model is imported, exported, verified on FER2013's test images and put into
``models/NAME``, but for its MODEL_CARD.md, which people write. Two minutes each.
"""

from __future__ import annotations

import argparse
import json
import math
import shlex
import shutil
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from face_data import EMOTIONS, LABELS, read_votes

from edgeemo.bundle.device.checks import record_golden
from edgeemo.bundle.device.contents import GOLDEN, PHOTO
from edgeemo.bundle.golden import draw_images, name_members
from edgeemo.bundle.manifest import describe_model
from edgeemo.dataset import IngestOptions, ingest_folder
from edgeemo.imaging.preprocess import preprocess
from edgeemo.model.container import unseal
from edgeemo.model.face_settings import Detector, FaceSettings
from edgeemo.model.folder import EXPORT, SHIPPED_MODELS, SPEC, ModelFolder
from edgeemo.model.input_spec import InputSpec
from edgeemo.model.keras import import_keras
from edgeemo.model.verified import VERIFY_JSON
from edgeemo.runtime.classifier import Classifier
from edgeemo.train import ImportOptions, import_keras_model
from edgeemo.train.temperature import fit_temperature, fold_temperature

if TYPE_CHECKING:
    from numpy.typing import NDArray

HERE = Path(__file__).resolve().parent
FILES = ("int8.tflite", "float32.tflite", "int8.onnx", "float32.onnx")
SPLITS = ("train", "validation", "test")
HAPPY_SAD = ("happy", "neither", "sad")
NEITHER = HAPPY_SAD[1]
EVERY = 4
"""One of so many images that are neither happy nor sad is taken."""


def run(*words: object) -> None:
    command = [str(word) for word in words]
    print("\n$ edgeemo", shlex.join(command), flush=True)
    subprocess.run([Path(sys.executable).with_name("edgeemo"), *command], check=True)


def link_happy_sad(data: Path, folder: Path) -> Path:
    """Make a folder of FER2013's happy and sad images and a quarter of the others, by links."""
    for split in SPLITS:
        for label in ("happy", "sad"):
            _link(data / split / label, folder / split / label)
        others = (set(LABELS) - {"happy", "sad"}) & {each.name for each in (data / split).iterdir()}
        paths = sorted(path for name in others for path in (data / split / name).glob("*.png"))
        for path in paths[::EVERY]:
            _link(path, folder / split / NEITHER / f"{path.parent.name}-{path.name}")
    return folder


def link_emotions(data: Path, folder: Path) -> Path:
    """Make a folder of FER2013's images by FER+'s majority, by links.

    An image belongs to the emotion that more than half of its votes for an emotion name; the others
    are left out, as in the paper on FER+ (E. Barsoum et al., 2016).
    """
    votes = read_votes(data)
    for split in SPLITS:
        for path in (data / split).glob("*/*.png"):
            counts = votes[path.name]
            if 2 * max(counts) > sum(counts):
                label = EMOTIONS[counts.index(max(counts))]
                _link(path, folder / split / label / path.name)
    return folder


def _link(source: Path, link: Path) -> None:
    link.parent.mkdir(parents=True, exist_ok=True)
    if not link.is_symlink():
        link.symlink_to(source.resolve())


def build_happy_sad(weights: Path, data: Path, out: Path) -> Path:
    """Write happy-sad as a Keras model: calibrated, then with fewer faces that are neither."""
    keras = import_keras()
    three = keras.saving.load_model(weights, compile=False)
    dense = three.layers[-2]
    head = keras.layers.Dense(len(HAPPY_SAD), activation="softmax", name="prob")
    model = keras.Model(three.input, head(dense.input))
    head.set_weights(dense.get_weights())
    images, truth = read_validation(data)
    temperature = fit_temperature(model.predict(images, verbose=0), truth)
    print(f"temperature {temperature:.3f}, on {len(truth):,} validation images")
    fold_temperature(model, temperature)
    kernel, bias = head.get_weights()
    bias[HAPPY_SAD.index(NEITHER)] -= math.log(EVERY)
    head.set_weights([kernel, bias])
    model.save(out)
    return out


def read_validation(data: Path) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return FER2013's validation images (N, 48, 48, 1) in [0, 1], and their labels' indices."""
    samples = ingest_folder(data, options=IngestOptions(labels=LABELS)).in_split("validation")
    spec = InputSpec(height=48, width=48, channels=1)
    images = np.stack([preprocess(data / sample.path, spec) for sample in samples])
    names = [sample.label if sample.label in HAPPY_SAD else NEITHER for sample in samples]
    truth = np.array([HAPPY_SAD.index(name) for name in names])
    return images * np.float32(1 / 255), truth


def ship(made: ModelFolder, out: Path) -> None:
    """Copy what ships, and record what it predicts for drawn images."""
    (out / GOLDEN).mkdir(parents=True, exist_ok=True)
    for name in (*FILES, SPEC, EXPORT, VERIFY_JSON):
        shutil.copyfile(made.file(name), out / name)
    record_predictions(out)


def record_predictions(out: Path) -> None:
    """Draw the golden images of a shipped model, and record what each of its files predicts."""
    for old in (out / GOLDEN).iterdir():
        old.unlink()
    first = Classifier.load(out / FILES[0])
    members = name_members(draw_images(first), first.detector)
    for member, image in members.items():
        (out / member).write_bytes(image)
    answers = {}
    for name in FILES:
        classifier = Classifier.load(out / name)
        goldens = [
            record_golden(classifier, image, file=member, photo=member == PHOTO)
            for member, image in members.items()
        ]
        manifest = describe_model(unseal(out / name), classifier, goldens=goldens)
        answers[name] = {
            "tolerance": manifest.tolerance,
            "built_with": manifest.built_with,
            "golden": [asdict(golden) for golden in goldens],
        }
    (out / GOLDEN / "answers.json").write_text(json.dumps(answers, indent=1) + "\n")


def make_model(name: str, data: Path, work: Path, *, weights: Path) -> ModelFolder:
    """Import a network's weights as a model folder, and export and verify it."""
    fer = data / "fer2013_original"
    if name == "happy-sad":
        faces, labels = link_happy_sad(fer, work / "happy-sad-faces"), HAPPY_SAD
        three = weights / "happy-neither-sad.keras"
        model = build_happy_sad(three, fer, work / "happy-sad.keras")
    else:
        faces, labels = link_emotions(fer, work / "emotions-faces"), EMOTIONS
        model = weights / "emotions.keras"
    settings = FaceSettings(detector=Detector.BLAZE, cropped=True, min_score=0.7)
    background = NEITHER if name == "happy-sad" else None
    options = ImportOptions(labels=labels, scale=1 / 255, faces=settings, background=background)
    made = import_keras_model(model, work / name, data=faces, options=options, replace=True)
    run("export", made.path, "--int8", "--force")
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="folder of fer2013_original")
    parser.add_argument("names", nargs="*", choices=SHIPPED_MODELS, default=SHIPPED_MODELS)
    parser.add_argument("--work", type=Path, default=Path(".cache/models"))
    parser.add_argument("--weights", type=Path, default=HERE / "weights", help="folder of weights")
    parser.add_argument("--out", type=Path, default=HERE, help="folder of the models' folders")
    options = parser.parse_args()
    for name in options.names:
        made = make_model(name, options.data, options.work, weights=options.weights)
        ship(made, options.out / name)


if __name__ == "__main__":
    main()
