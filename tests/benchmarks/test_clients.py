"""benchmarks/clients.py: a client that hangs, crashes or predicts wrongly is a cell, not an end."""

from __future__ import annotations

import subprocess
import sys
from argparse import Namespace
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
GOLDEN = REPOSITORY / "tests" / "golden" / "float32.tflite"
PROGRAMS = {
    "hangs": "import time; time.sleep(60)",
    "crashes": "import os; os.abort()",
    "raises": "raise RuntimeError('no such operator')",
    "few": "print(0.5)",
    "certain": "import sys; print('\\n'.join('1.0' for _ in sys.argv[2:]))",
    "misnamed": "import sys; print('\\n'.join('joy=1.0' for _ in sys.argv[2:]))",
    "ours": (
        "import sys; from edgeemo import Classifier; c = Classifier.load(sys.argv[1])\n"
        "for each in sys.argv[2:]: print('chatter'); print(c.predict(each).scores['sad'])"
    ),
}
CELLS = {
    "hangs": ("hangs for 1 s", ""),
    "crashes": ("fails [1]", "ended by signal 6"),
    "raises": ("fails [1]", "RuntimeError: no such operator"),
    "few": ("fails [1]", "it predicts 1 of 4 images"),
    "misnamed": ("fails [1]", "its labels are joy"),
    "ours": ("=", ""),
}


@pytest.fixture(scope="module")
def modules():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(REPOSITORY / "benchmarks"))
        import client_table
        import clients

        yield clients, client_table


@pytest.fixture
def cell(modules, tmp_path, monkeypatch):
    """Function: the cell of a program, and its note."""
    clients, table = modules

    def make(name):
        monkeypatch.setattr(clients, "make_environment", lambda *_: tmp_path)
        program = [sys.executable, "-c", PROGRAMS[name], str(GOLDEN)]
        monkeypatch.setattr(clients, "build_command", lambda *_: program)
        client = table.Client(name=name, environment="litert", program="")
        sources = clients.draw_sources(tmp_path / "drawn", 4)
        subject = clients.Subject(GOLDEN, sources, tmp_path / "images")
        matrix = clients.Matrix()
        options = Namespace(environments=tmp_path, timeout=1 if name == "hangs" else 60)
        return clients.run_client(client, subject, options, matrix), "".join(matrix.notes)

    return make


@pytest.mark.parametrize("name", CELLS)
def test_every_end_of_a_client_is_a_cell(cell, name):
    assert cell(name) == CELLS[name]


def test_a_difference_that_is_no_rounding_is_called_wrong(cell):
    found, _ = cell("certain")
    assert found.startswith("wrong: ")


def test_a_package_that_cannot_be_installed_is_a_reason(modules, tmp_path, monkeypatch):
    clients, table = modules
    failed = subprocess.CompletedProcess([], 1, "", "x\nERROR: No matching distribution found\n")
    monkeypatch.setattr(table.subprocess, "run", lambda *_, **__: failed)
    with pytest.raises(clients.NotInstalled, match="No matching distribution"):
        table.make_environment(tmp_path, "mnn")
    assert (tmp_path / "mnn.failed").read_text() == "ERROR: No matching distribution found"
