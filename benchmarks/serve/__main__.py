"""Measure `edgeemo serve` on this machine.

    python -m benchmarks.serve ROW ...

Everything runs on the loopback address, for a limited time. Rows: throughput, overload, page, tabs,
start, day, schema.
"""

from __future__ import annotations

import sys

from benchmarks.serve import load, pages, schema

ROWS = {
    "throughput": load.measure_throughput,
    "overload": load.measure_overload,
    "page": pages.measure_page,
    "tabs": pages.measure_tabs,
    "start": load.measure_start,
    "day": load.measure_day,
    "schema": schema.measure_schema,
}


def main() -> None:
    names = sys.argv[1:]
    if not names or set(names) - set(ROWS):
        sys.exit(f"rows: {', '.join(ROWS)}")
    for name in names:
        ROWS[name]()


if __name__ == "__main__":
    main()
