"""The warning about labels and scaling of an imported model, with the command to try."""

from __future__ import annotations

import json
import shlex

import pytest

from edgeemo.cli.output.doubt import warn_of_doubt
from edgeemo.model.doubt import Doubt
from edgeemo.model.folder import ModelFolder
from edgeemo.model.scaling import PRESETS
from edgeemo.model.spec import ModelSpec


@pytest.fixture
def write_folder(tmp_path):
    def write(doubt, **facts):
        spec = ModelSpec(labels=("sad", "happy"), height=8, width=8, threshold=0.4)
        (tmp_path / "spec.json").write_text(spec.to_json())
        record = {"arch": "imported", "data": "my faces", "source": "mine.h5", "scale": 1 / 255}
        record |= {"doubt": doubt.to_record()} if doubt else {}
        (tmp_path / "training.json").write_text(json.dumps(record | facts))
        return ModelFolder(tmp_path)

    return write


def test_the_command_has_all_options_and_the_better_ones(write_folder, capsys):
    doubt = Doubt(
        accuracy=0.26, better=0.871, n=256, labels=("happy", "sad"), scaling=PRESETS["[-1,1]"]
    )
    folder = write_folder(doubt, head="logit")
    warn_of_doubt(folder, options=["--int8"])
    (line,) = capsys.readouterr().err.splitlines()
    start, _, command = line.partition("; try: ")
    assert start == (
        f"warning: {folder.path}: the accuracy is 26.0% on 256 images, but 87.1% with the labels "
        "in another order and with pixel × 0.00784313725 − 1"
    )
    assert shlex.split(command) == [
        *("edgeemo", "export", "mine.h5", "--labels", "happy,sad", "--preprocess", "[-1,1]"),
        *("--head", "logit", "--threshold", "0.4", "--data", "my faces", "--int8"),
        *("--out", str(folder.path), "--force"),
    ]


def test_what_fits_stays(write_folder, capsys):
    warn_of_doubt(write_folder(Doubt(accuracy=0.3, better=0.7, n=99, labels=("happy", "sad"))))
    assert "--labels happy,sad --preprocess '[0,1]'" in capsys.readouterr().err
    warn_of_doubt(write_folder(None))
    assert capsys.readouterr().err == ""
