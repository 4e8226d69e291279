"""Inputs that the fuzzers made, and changed ones, pass the fuzzers' oracle; no fuzzer is needed.

`benchmarks/reliability/fuzz.py` made them and `fuzz_corpus.py` chose them, one for every branch.
"""

from __future__ import annotations

import json
import random
import re
import sys
import time
import warnings
from pathlib import Path

import pytest

from benchmarks.reliability import fuzz_images
from benchmarks.reliability.fuzz import Run, Supervisor, describe
from benchmarks.reliability.fuzz_corpus import choose
from benchmarks.reliability.fuzz_oracle import judge, require
from benchmarks.reliability.fuzz_targets import TARGETS, change_json
from edgeemo.errors import SpecError
from edgeemo.imaging.limits import ROOM

CORPUS = Path(__file__).with_name("corpus")
_CHANGED = 150


def _read_corpus(target: str) -> list[bytes]:
    return [path.read_bytes() for path in sorted((CORPUS / target).iterdir())]


def _list_faults(check, inputs) -> list[str]:
    return [fault.text or fault.kind for data in inputs if (fault := judge(check, data))]


@pytest.mark.parametrize("target", TARGETS)
def test_the_corpus_shows_no_fault(target, capfd):
    inputs = _read_corpus(target)
    assert 20 <= len(inputs) <= 80
    assert _list_faults(TARGETS[target].check, inputs) == []
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("path", fuzz_images.PATHS, ids=lambda path: path.__name__)
def test_the_images_show_no_fault_on_any_path(path, capfd):
    assert _list_faults(path, _read_corpus("image")) == []
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("target", TARGETS)
def test_changed_inputs_show_no_fault(target, capfd):
    """As the fuzzer changes them, but by chance alone."""
    drawn = random.Random(15)
    seeds = [*TARGETS[target].list_seeds(), *_read_corpus(target)]

    def change(data: bytes) -> bytes:
        content = bytearray(data or b"\0")
        for _ in range(drawn.randrange(3)):
            content[drawn.randrange(len(content))] = drawn.randrange(256)
        return TARGETS[target].mend(bytes(content), drawn)

    changed = [change(drawn.choice(seeds)) for _ in range(_CHANGED)]
    assert _list_faults(TARGETS[target].check, changed) == []
    assert capfd.readouterr() == ("", "")


def test_the_corpus_is_small():
    sizes = [path.stat().st_size for path in CORPUS.rglob("*") if path.is_file()]
    assert sum(sizes) < 200_000


def _raise(error: BaseException):
    def check(data: bytes) -> None:
        raise error

    return check


@pytest.mark.parametrize(
    ("check", "kind"),
    [
        (_raise(ZeroDivisionError("a")), r"ZeroDivisionError at .*"),
        (_raise(SystemExit(1)), r"SystemExit at .*"),
        (_raise(SpecError("a\nb")), r"not one printable line: SpecError"),
        (_raise(SpecError("")), r"not one printable line: SpecError"),
        (lambda data: warnings.warn("odd", UserWarning, stacklevel=1), r"warning at .*"),
        (lambda data: require(False, "another value"), r"BrokenPromiseError \(another value\)"),
    ],
)
def test_the_oracle_sees_what_must_not_happen(check, kind):
    fault = judge(check, b"")
    assert fault is not None
    assert re.match(kind, fault.kind)


def test_the_oracle_sees_memory_that_is_not_given_back():
    def check(data: bytes) -> None:
        ROOM.take(1 << 25, name="image", seconds=0)
        raise SpecError("refused")

    assert judge(check, b"").kind == "memory that an image took is not given back"
    assert judge(lambda data: None, b"") is None


def test_the_oracle_takes_a_value_and_an_error_in_one_line():
    assert judge(lambda data: None, b"") is None
    assert judge(_raise(SpecError("a.tflite: damaged")), b"") is None


def test_changed_json_is_json():
    drawn, text = random.Random(1), json.dumps({"a": [1, {"b": 2}], "c": "d"}).encode()
    changed = {change_json(text, drawn) for _ in range(50)}
    assert len(changed) > 20
    assert all(json.loads(each) is not Ellipsis for each in changed)
    assert change_json(b"no JSON", drawn) == b"no JSON"


def test_few_inputs_that_take_every_branch_are_chosen():
    branches = {b"1": {1}, b"12": {1, 2}, b"23": {2, 3}, b"3": {3}, b"0": {0}}
    assert choose(branches, {0}) == [b"23", b"1"]


def _start(folder: Path, monkeypatch, code: str, hours: float = 1.0) -> Supervisor:
    """Return a supervisor whose fuzzer is a program of ours."""
    script = folder / "worker.py"
    script.write_text(f"import json, os, sys\n{code}\n")
    program = folder / "python"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{script}" "$@"\n')
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    return Supervisor("spec", folder / "spec", hours)


def test_a_crash_is_kept_and_the_fuzzer_started_again(tmp_path, monkeypatch, capsys):
    supervisor = _start(
        tmp_path,
        monkeypatch,
        "print('#9 NEW cov: 7 ft: 8 corp: 9/1b', file=sys.stderr)\n"
        "print('STATUS [1800.5, 40]', file=sys.stderr)\n"
        "open(sys.argv[5], 'wb').write((3).to_bytes(8, 'little') + b'abcdef')\n"
        "sys.stderr.flush(); os.abort()",
    )
    supervisor.feed()
    run = supervisor.run
    assert (run.executions, run.cpu_seconds, run.edges, run.faults) == (80, 3601, 7, 2)
    kept = [path for path in (tmp_path / "spec/faults").iterdir() if path.suffix != ".txt"]
    assert [path.read_bytes() for path in kept] == [b"abc", b"abc"]
    assert "80 inputs, 7 branches, 0 inputs kept, 2 faults" in capsys.readouterr().out


def test_hours_add_up_over_runs_and_begin_anew_after_a_fault(tmp_path):
    for name in ("corpus", "faults", "runs"):
        (tmp_path / name).mkdir()
    runs = [(3600, 3600, 0), (7200, 1800, 1), (900, 900, 0)]
    for number, (seconds, clean, faults) in enumerate(runs):
        run = Run(cpu_seconds=seconds, clean_cpu_seconds=clean, faults=faults, executions=1000)
        (tmp_path / "runs" / f"{number}.json").write_text(json.dumps(vars(run)))
    assert "3.250 CPU hours, 0.750 without a new fault; 3,000 inputs" in describe(tmp_path)
