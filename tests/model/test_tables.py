from __future__ import annotations

import pytest

from edgeemo.errors import ModelFolderError
from edgeemo.model.tables import (
    ReferencePrediction,
    Rejected,
    Sample,
    read_references,
    read_samples,
    write_references,
    write_rejected,
    write_samples,
)

_NAMES = ("=1+1.png", "-2.png", "-3", "@a.png", "'=b.png", "c\r.png", "d\ne.png", 'f",g.png', "+h")


def test_split_csv_gives_any_name_back(tmp_path):
    samples = [Sample(path=name, label="=sad", split="test", sha256="00") for name in _NAMES]
    path = write_samples(tmp_path / "split.csv", samples)
    assert read_samples(path) == samples
    text = path.read_bytes().decode()
    assert text.startswith("path,label,split,sha256\n'=1+1.png,'=sad,test,00\n'-2.png,")
    assert "\n-3,'=sad,test,00\n" in text


def test_reference_csv_gives_any_name_back(tmp_path):
    rows = [
        ReferencePrediction(sha256="00", path=name, label="+sad", scores=(0.25, 0.75))
        for name in _NAMES
    ]
    path = write_references(tmp_path / "reference.csv", rows, labels=("+sad", "@happy"))
    assert read_references(path) == rows
    assert path.read_text().startswith("sha256,path,label,p(+sad),p(@happy)\n00,'=1+1.png,'+sad,")


def test_rejected_csv_runs_nothing_in_a_spreadsheet(tmp_path):
    rejected = [Rejected(path='=cmd|" /C calc"!A0', reason="blank", detail="=x")]
    path = write_rejected(tmp_path / "rejected.csv", rejected)
    assert path.read_text() == 'path,reason,detail\n"\'=cmd|"" /C calc""!A0",blank,\'=x\n'


@pytest.mark.parametrize("row", ["a.png,sad,test", "a.png,sad,test,00,more", '"a'])
def test_a_row_of_another_length_is_refused(tmp_path, row):
    path = tmp_path / "split.csv"
    path.write_text(f"path,label,split,sha256\n{row}\n")
    with pytest.raises(ModelFolderError, match=r"split\.csv: malformed"):
        read_samples(path)
