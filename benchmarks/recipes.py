"""Train the five recipes on public collections, split as in tutorials and as edgeemo does.

    python benchmarks/recipes.py $EDGEEMO_DATA --models /tmp/recipes [--only A,B] [--table]

Trains every recipe twice on each collection, with ``edgeemo train --recipe NAME`` alone (face crops
of 48 pixels at that size, in grey), and then evaluates each model with a grouped split on the other
collections. Existing models are not trained again. ``--table`` prints the Markdown tables of
docs/recipes.md from the existing models.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from edgeemo.dataset import IngestOptions, ingest_folder
from edgeemo.model.folder import REPORT_JSON, open_folder, to_json
from edgeemo.model.keras import load_reference_model
from edgeemo.train.data.pipeline import decode_split
from edgeemo.train.options.recipes import RECIPES
from edgeemo.train.report.evaluation import evaluate, predict_split

COLLECTIONS = {
    "web_small": (),
    "web_messy": (),
    "fer2013_original": ("--classes", "happy,sad", "--size", "48", "--channels", "1"),
}
SPLITS = ("random", "grouped")


def train(recipe: str, collection: str, split: str, *, data: Path, models: Path) -> None:
    out = models / f"{collection}-{recipe}-{split}"
    if out.exists():
        return
    command = [sys.executable, "-m", "edgeemo.cli.start", "train", "--recipe", recipe, "--split",
               split, "--data", str(data / collection), "--out", str(out), "--force",
               *COLLECTIONS[collection]]  # fmt: skip
    if RECIPES[recipe].options.get("tensorboard"):
        command += ["--tensorboard", str(models / "logs" / out.name)]
    subprocess.run(command, check=True)


def evaluate_across(recipe: str, source: str, target: str, *, data: Path, models: Path) -> dict:
    """Evaluate a model on a whole unseen collection; the report is kept beside the models."""
    kept = models / f"across-{source}-{target}-{recipe}.json"
    if not kept.exists():
        folder = open_folder(models / f"{source}-{recipe}-grouped")
        spec = folder.read_spec()
        options = IngestOptions(labels=spec.labels, classes=spec.labels)
        found = ingest_folder(data / target, options=options)
        with tempfile.TemporaryDirectory() as place:
            pixels = decode_split(found.root, found.samples, spec=spec, path=Path(place) / "pixels")
            outputs = predict_split(load_reference_model(folder), pixels, spec=spec)
        kept.write_text(to_json(evaluate(outputs, pixels, spec=spec, seed=0).report))
    return json.loads(kept.read_text())


def format_accuracy(report: dict) -> str:
    value = report["accuracy"]
    return f"{value['value']:.3f} ({value['low']:.3f} to {value['high']:.3f})"


def print_splits(collections: list[str], models: Path) -> None:
    print("| recipe | images | test, random split | of them seen in training | test, grouped |")
    print("|---|---|---:|---:|---:|")
    for collection in collections:
        for recipe in RECIPES:
            cells = []
            for split in SPLITS:
                report = json.loads(
                    (models / f"{collection}-{recipe}-{split}" / REPORT_JSON).read_text()
                )
                cells.append(f"{format_accuracy(report['test'])}, n = {report['test']['n']:,}")
                if split == "random":
                    seen = report["data"]["ingest"]["test_seen_in_train"]
                    cells.append(f"{seen} ({seen / report['test']['n']:.0%})")
            print(f"| `{recipe}` | {collection} | {' | '.join(cells)} |")


def print_across(collections: list[str], models: Path, data: Path) -> None:
    print("\n| trained on | recipe | " + " | ".join(f"on {each}" for each in COLLECTIONS) + " |")
    print("|---|---|" + "---:|" * len(COLLECTIONS))
    for source in collections:
        for recipe in RECIPES:
            cells = [
                "–"
                if source == target
                else format_accuracy(
                    evaluate_across(recipe, source, target, data=data, models=models)
                )
                for target in COLLECTIONS
            ]
            print(f"| {source} | `{recipe}` | {' | '.join(cells)} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "data", type=Path, help="folder of web_small, web_messy and fer2013_original"
    )
    parser.add_argument("--models", type=Path, required=True, help="where the models go")
    parser.add_argument(
        "--only", default=",".join(COLLECTIONS), help="collections to train on, as in A,B"
    )
    parser.add_argument("--table", action="store_true", help="print the tables")
    options = parser.parse_args()
    collections = options.only.split(",")
    for collection in collections:
        for recipe in RECIPES:
            for split in SPLITS:
                train(recipe, collection, split, data=options.data, models=options.models)
    if options.table:
        print_splits(collections, options.models)
        print_across(collections, options.models, options.data)


if __name__ == "__main__":
    main()
