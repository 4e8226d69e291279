"""Run the reliability campaign, or some of its parts, and renew docs/reliability.md.

    python -m benchmarks.reliability.run [PART ...]     (or: make reliability PARTS="kills folder")
    python -m benchmarks.reliability.run --render

Two parts run at a time, those that measure time alone. The results of the parts are kept in
docs/reliability.json, so that one can be run again by itself. The exit status is 1 if a promise is
broken or a part fails.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.reliability.check import Check
from benchmarks.reliability.parts import PARTS, Result, run_part
from benchmarks.reliability.table import build_block, build_fuzzing_block, replace_block
from edgeemo.utils.files import write_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_DOCS = Path(__file__).parents[2] / "docs"
RESULTS, PAGE = _DOCS / "reliability.json", _DOCS / "reliability.md"
FUZZING = _DOCS / "fuzzing.csv"
"""Figures that `benchmarks.reliability.fuzz` prints, entered by hand: it runs for hours, once."""
_MIN_FUZZ_HOURS = 4.0
_AT_A_TIME = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the requested parts; 1 if one of them fails or breaks a promise."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("parts", nargs="*", help=f"{', '.join(PARTS)} (all)")
    parser.add_argument("--render", action="store_true", help="run none, renew the page alone")
    given = parser.parse_args(arguments)
    if unknown := sorted(set(given.parts) - set(PARTS)):
        parser.error(f"no such part: {', '.join(unknown)}")
    names = [] if given.render else given.parts or list(PARTS)
    start, kept = time.monotonic(), True
    for name, result in run_parts(names):
        _store(name, result)
        kept &= _report(name, result)
    if names:
        print(f"{len(names)} parts in {(time.monotonic() - start) / 60:.1f} minutes")
    render()
    return int(not kept)


def run_parts(names: Sequence[str]) -> Iterator[tuple[str, Result]]:
    """Yield the parts as they end: two at a time, then those that have to run alone."""
    for alone in (False, True):
        chosen = [name for name in names if PARTS[name].alone is alone]
        with ThreadPoolExecutor(1 if alone else _AT_A_TIME) as pool:
            running = {pool.submit(run_part, name): name for name in chosen}
            for done in as_completed(running):
                yield running[done], done.result()


def read_results() -> dict[str, Result]:
    """Read the kept results by the names of the parts."""
    if not RESULTS.exists():
        return {}
    kept = json.loads(RESULTS.read_text())
    return {name: Result.from_fields(kept[name]) for name in PARTS if name in kept}


def render() -> None:
    """Renew the page from the kept results."""
    with FUZZING.open(encoding="utf-8", newline="") as stream:
        fuzzers = list(csv.DictReader(stream))
    page = PAGE.read_text()
    block = build_block(read_results(), further=[_check_fuzzing(fuzzers)] if fuzzers else [])
    page = replace_block(page, "make reliability", block)
    write_file(PAGE, replace_block(page, "fuzzing", build_fuzzing_block(fuzzers)))


def _check_fuzzing(rows: Sequence[dict[str, str]]) -> Check:
    hours = [float(row["clean_cpu_hours"]) for row in rows]
    inputs = sum(int(row["inputs"]) for row in rows)
    targets = ", ".join(row["target"] for row in rows)
    return Check(
        name=f"fuzzers with coverage ({targets}): hours of the processor without a new fault",
        measured=f"{' / '.join(f'{each:.1f}' for each in hours)} ({inputs:,} inputs)",
        promise=f"≥ {_MIN_FUZZ_HOURS:.0f} each, once",
        kept=min(hours) >= _MIN_FUZZ_HOURS,
    )


def _store(name: str, result: Result) -> None:
    rows = {each: asdict(kept) for each, kept in {**read_results(), name: result}.items()}
    write_file(RESULTS, json.dumps(rows, indent=1, ensure_ascii=False) + "\n")


def _report(name: str, result: Result) -> bool:
    """Print the checks of a part; return whether it measured something and kept its promises."""
    for check in result.checks:
        words = f"{check.measured} (promise: {check.promise})"
        print(f"{name}: {'kept' if check.kept else 'BROKEN'}: {check.name}: {words}", flush=True)
    if not result.checks:
        print(f"{name}: FAILED", flush=True)
    print(f"{name}: {result.wall_s:.0f} s, {result.cpu_s:.0f} s of processor time", flush=True)
    return bool(result.checks) and all(check.kept for check in result.checks)


if __name__ == "__main__":
    sys.exit(main())
