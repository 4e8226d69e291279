"""Make models/happy-sad again: from raw images to the files that ship, every command shown.

    python models/make_happy_sad.py $EDGEEMO_DATA/fer2013

Trains the teacher, then the network that learns from it, exports it and verifies it. What was
trained already is taken as it is, and an interrupted training goes on, so the script may be stopped
and started again. Two cores take an hour and a half. The last step replaces the model in
models/happy-sad (or puts it into --out), but for MODEL_CARD.md, which people write.
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

from edgeemo.bundle.device.checks import record_golden
from edgeemo.bundle.device.contents import GOLDEN, PHOTO
from edgeemo.bundle.golden import draw_images, name_members
from edgeemo.bundle.manifest import describe_model
from edgeemo.model.container import unseal
from edgeemo.model.folder import EXPORT, SPEC, ModelFolder
from edgeemo.model.verified import VERIFY_JSON
from edgeemo.runtime.classifier import Classifier

HERE = Path(__file__).resolve().parent / "happy-sad"
FILES = ("int8.tflite", "float32.tflite", "int8.onnx", "float32.onnx")


def run(*words: object) -> None:
    command = [str(word) for word in words]
    print("\n$ edgeemo", shlex.join(command), flush=True)
    subprocess.run([Path(sys.executable).with_name("edgeemo"), *command], check=True)


def trained(name: str, data: Path, work: Path, *words: object) -> Path:
    """Return the model folder of a configuration, trained where it is missing."""
    out = work / name
    if (work / f".{name}.training").exists():
        run("train", "--resume", "--out", out)
    elif not out.exists():
        run("train", "--config", HERE / f"{name}.toml", "--data", data, *words, "--out", out)
    return out


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
    parser.add_argument("data", type=Path, help="FER2013: train, validation, test; happy and sad")
    parser.add_argument("--work", type=Path, default=Path(".cache/happy-sad"))
    parser.add_argument("--out", type=Path, default=HERE)
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    teacher = trained("teacher", options.data, options.work)
    model = trained("train", options.data, options.work, "--teacher", teacher)
    run("export", model, "--int8", "--force")
    ship(ModelFolder(model), options.out)


if __name__ == "__main__":
    main()
