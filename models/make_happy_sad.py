"""Make models/happy-sad again: from the trained weights to the files that ship.

    python models/make_happy_sad.py $EDGEEMO_DATA

``models/weights/happy-neither-sad.keras``, which ``models/train_faces.py`` trains, gives logits of
happy, of neither and of sad. happy-sad is the first against the last, with the temperature that
FER2013's validation images ask for. It is imported, exported, verified on FER2013's test images and
put into models/happy-sad (or --out), but for MODEL_CARD.md, which people write. Two minutes.
"""

from __future__ import annotations

import argparse
import json
import shlex
import shutil
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from edgeemo.bundle.device.checks import record_golden
from edgeemo.bundle.device.contents import GOLDEN, PHOTO
from edgeemo.bundle.golden import draw_images, name_members
from edgeemo.bundle.manifest import describe_model
from edgeemo.dataset import IngestOptions, ingest_folder
from edgeemo.imaging.preprocess import preprocess
from edgeemo.model.container import unseal
from edgeemo.model.face_settings import Detector, FaceSettings
from edgeemo.model.folder import EXPORT, SPEC, ModelFolder
from edgeemo.model.keras import import_keras
from edgeemo.model.spec import InputSpec
from edgeemo.model.verified import VERIFY_JSON
from edgeemo.runtime.classifier import Classifier
from edgeemo.train import ImportOptions, import_keras_model
from edgeemo.train.temperature import fit_temperature, fold_temperature

if TYPE_CHECKING:
    from numpy.typing import NDArray

HERE = Path(__file__).resolve().parent / "happy-sad"
WEIGHTS = HERE.parent / "weights" / "happy-neither-sad.keras"
FILES = ("int8.tflite", "float32.tflite", "int8.onnx", "float32.onnx")


LABELS = ("happy", "sad")


def run(*words: object) -> None:
    command = [str(word) for word in words]
    print("\n$ edgeemo", shlex.join(command), flush=True)
    subprocess.run([Path(sys.executable).with_name("edgeemo"), *command], check=True)


def link_classes(data: Path, folder: Path) -> Path:
    """Make a folder of the two classes of FER2013's seven, by links."""
    for split in ("train", "validation", "test"):
        (folder / split).mkdir(parents=True, exist_ok=True)
        for label in LABELS:
            link = folder / split / label
            if not link.is_symlink():
                link.symlink_to((data / split / label).resolve(), target_is_directory=True)
    return folder


def build_happy_sad(weights: Path, faces: Path, out: Path) -> Path:
    """Write happy-sad as a Keras model: the probability of sad, its temperature folded in."""
    keras = import_keras()
    three = keras.saving.load_model(weights, compile=False)
    dense = three.layers[-2]
    head = keras.layers.Dense(1, activation="sigmoid", name="prob")
    model = keras.Model(three.input, head(dense.input))
    head.set_weights([each[..., 2:] - each[..., :1] for each in dense.get_weights()])
    images, sad = read_validation(faces)
    scores = model.predict(images, verbose=0)
    temperature = fit_temperature(np.hstack([1 - scores, scores]), sad)
    print(f"temperature {temperature:.3f}, on {len(sad):,} validation images")
    fold_temperature(model, temperature)
    model.save(out)
    return out


def read_validation(faces: Path) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return images (N, 48, 48, 1) in [0, 1] of the validation split, and 1 for sad."""
    samples = ingest_folder(faces, options=IngestOptions(labels=LABELS)).in_split("validation")
    spec = InputSpec(height=48, width=48, channels=1)
    images = np.stack([preprocess(faces / sample.path, spec) for sample in samples])
    truth = np.array([LABELS.index(sample.label) for sample in samples])
    return images * np.float32(1 / 255), truth


def ship(made: ModelFolder, out: Path) -> None:
    """Copy what ships, and record what it answers to drawn images."""
    (out / GOLDEN).mkdir(parents=True, exist_ok=True)
    for name in (*FILES, SPEC, EXPORT, VERIFY_JSON):
        shutil.copyfile(made.file(name), out / name)
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="folder of fer2013_original")
    parser.add_argument("--weights", type=Path, default=WEIGHTS)
    parser.add_argument("--work", type=Path, default=Path(".cache/happy-sad"))
    parser.add_argument("--out", type=Path, default=HERE)
    options = parser.parse_args()
    faces = link_classes(options.data / "fer2013_original", options.work / "faces")
    model = build_happy_sad(options.weights, faces, options.work / "happy-sad.keras")
    made = import_keras_model(
        model,
        options.work / "happy-sad",
        data=faces,
        options=ImportOptions(
            labels=LABELS,
            scale=1 / 255,
            faces=FaceSettings(detector=Detector.BLAZE, cropped=True, min_score=0.7),
        ),
        replace=True,
    )
    run("export", made.path, "--int8", "--force")
    ship(made, options.out)


if __name__ == "__main__":
    main()
