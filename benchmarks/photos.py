"""Compare a model's accuracy on whole web photos with and without face detection.

    python benchmarks/photos.py models/mine/int8.tflite $EDGEEMO_DATA
    python benchmarks/photos.py happy-sad $EDGEEMO_DATA --detector cascade --sheet mistakes.png

The model, trained on face crops, predicts every image of two unseen collections, each cleaned of
duplicates as for a training: once the whole image, once its largest face. Images without a detected
face are predicted in the first case alone, which therefore has two rows; so has the second where a
model predicts "not sure" or a background such as "neither" for some, which count as the most
probable class in the first row and not at all in the second. The rows of photographs leave out
drawings, renderings, texts and toys, which were marked by eye on small images: web_drawings.txt
beside this file holds their SHA-256. ``--sheet`` draws faces whose prediction differs from their
label.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from accuracy_row import HEAD, accuracy_row

from edgeemo.cli.default_model import choose_model
from edgeemo.dataset import IngestOptions, ingest_folder
from edgeemo.errors import NoFaceError
from edgeemo.imaging.preprocess import preprocess
from edgeemo.model.face_request import FaceRequest
from edgeemo.model.face_settings import Detector
from edgeemo.report.contact_sheet import write_contact_sheet
from edgeemo.report.document import Tile
from edgeemo.runtime.classifier import Classifier
from edgeemo.utils.files import sha256_file

COLLECTIONS = ("web_small", "web_messy")
DRAWINGS = Path(__file__).with_name("web_drawings.txt")
SHOWN = 96


def predict_label(classifier: Classifier, path: Path) -> tuple[str, bool]:
    """Return the most probable class, and whether it is predicted; "" without a face."""
    try:
        prediction = classifier.predict(path)
    except NoFaceError:
        return "", False
    return prediction.guess, prediction.is_sure


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path, help="an exported file of a model of happy and sad")
    parser.add_argument("data", type=Path, help="folder of web_small and web_messy")
    parser.add_argument(
        "--detector", type=Detector, choices=list(Detector), help="by default the model's"
    )
    parser.add_argument("--face-score", type=float, help="by default the model's")
    parser.add_argument("--sheet", type=Path, help="PNG of the mistakes")
    options = parser.parse_args()
    model = choose_model(options.model)
    whole = Classifier.load(model, faces=FaceRequest(enabled=False))
    request = FaceRequest(detector=options.detector, min_score=options.face_score)
    faces = Classifier.load(model, faces=request)
    wrong: list[tuple[Path, str]] = []
    drawings = {*DRAWINGS.read_text().split()}
    print(HEAD)
    rows = []
    for collection in COLLECTIONS:
        kept = ingest_folder(
            options.data / collection, options=IngestOptions(labels=whole.spec.classes)
        ).samples
        paths = [options.data / collection / sample.path for sample in kept]
        truth = np.array([sample.label for sample in kept])
        of_whole = np.array([predict_label(whole, path)[0] for path in paths])
        found = [predict_label(faces, path) for path in paths]
        of_face, is_sure = (np.array(each) for each in zip(*found, strict=True))
        is_photograph = np.array([sha256_file(path) not in drawings for path in paths])
        rows.append((collection, truth, of_whole, of_face, is_sure, is_photograph))
        mistaken = (of_face != "") & (of_face != truth)
        wrong += [(paths[k], f"{truth[k]}, not {of_face[k]}") for k in np.flatnonzero(mistaken)]
    rows.append(("both", *(np.concatenate(each) for each in list(zip(*rows, strict=True))[1:])))
    for name, truth, of_whole, of_face, is_sure, is_photograph in rows:
        seen = of_face != ""
        print(accuracy_row(f"{name}, whole images", of_whole, truth))
        print(accuracy_row(f"{name}, whole images that have a face", of_whole[seen], truth[seen]))
        print(accuracy_row(f"{name}, their largest face", of_face[seen], truth[seen]))
        if not is_sure[seen].all():
            row = accuracy_row(
                f"{name}, where a class is predicted", of_face[is_sure], truth[is_sure]
            )
            print(row)
        for kind, kept in (
            ("photographs", seen),
            ("photographs where a class is predicted", is_sure),
        ):
            chosen = kept & is_photograph
            print(accuracy_row(f"{name}, {kind}", of_face[chosen], truth[chosen]))
    if options.sheet:
        shown = [wrong[k] for k in np.linspace(0, len(wrong) - 1, SHOWN).astype(int)]
        photo = faces.spec.for_photos()
        tiles = [
            Tile(image=preprocess(path, photo, detector=faces.detector), caption=text)
            for path, text in shown
        ]
        write_contact_sheet(tiles, options.sheet, columns=12, title="Label, and another prediction")


if __name__ == "__main__":
    main()
