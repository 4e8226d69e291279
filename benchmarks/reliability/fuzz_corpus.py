"""Choose a few inputs of a fuzzer's corpus that take every branch which all of them take.

    python -m benchmarks.reliability.fuzz_corpus TARGET FROM TO

Adds to the folder TO the inputs of the folder FROM that take branches of edgeemo's code which no
input of TO takes, as few as are needed. So the corpus of the tests was chosen
(`tests/reliability/corpus`).
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.reliability.fuzz_oracle import judge
from benchmarks.reliability.fuzz_targets import TARGETS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import FrameType

_Branch = tuple[str, int, int]


def list_branches(check: Callable[[bytes], None], data: bytes) -> set[_Branch]:
    """Return the branches of edgeemo's code that an input takes: file, line, and the next line."""
    found: set[_Branch] = set()

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        file, last = frame.f_code.co_filename, -frame.f_lineno
        if "/edgeemo/" not in file:
            return None

        def trace_lines(frame: FrameType, event: str, _: Any) -> Any:
            nonlocal last
            found.add((file, last, frame.f_lineno))
            last = frame.f_lineno
            return trace_lines

        return trace_lines

    sys.settrace(trace)
    try:
        judge(check, data)
    finally:
        sys.settrace(None)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("target", choices=TARGETS)
    parser.add_argument("source", type=Path, metavar="FROM")
    parser.add_argument("chosen", type=Path, metavar="TO")
    options = parser.parse_args()
    check = TARGETS[options.target].check
    options.chosen.mkdir(parents=True, exist_ok=True)
    kept = [list_branches(check, path.read_bytes()) for path in options.chosen.iterdir()]
    found = {path.read_bytes() for path in options.source.iterdir()}
    chosen = choose({data: list_branches(check, data) for data in found}, set().union(*kept))
    for data in chosen:
        (options.chosen / hashlib.sha256(data).hexdigest()[:12]).write_bytes(data)
    sizes = [path.stat().st_size for path in options.chosen.iterdir()]
    print(f"{len(chosen)} more inputs; {len(sizes)} inputs, {sum(sizes):,} bytes")
    return 0


def choose(branches: Mapping[bytes, set[_Branch]], taken: set[_Branch]) -> list[bytes]:
    """Return few inputs that together take every branch: each time the one with the most new ones.

    Args:
        branches: Those that each input takes.
        taken: Those that need no input.
    """
    chosen: list[bytes] = []
    left = dict(branches)
    while left:
        left = {data: new for data, known in left.items() if (new := known - taken)}
        if left:
            best = max(left, key=lambda data: (len(left[data]), -len(data), data))
            chosen.append(best)
            taken = taken | left.pop(best)
    return chosen


if __name__ == "__main__":
    sys.exit(main())
