"""Print the tables of docs/scale.md, or put them into the page.

    python -m benchmarks.scale [NAME ...] [--write]

They follow from benchmarks/scale/rates.json, which `python -m benchmarks.scale.rates` measures.
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.scale import plan, runs

if TYPE_CHECKING:
    from benchmarks.scale.tables import Table

PAGE = Path(__file__).resolve().parents[2] / "docs" / "scale.md"
TABLES = {
    "rates": plan.tabulate_rates,
    "hours": plan.tabulate_hours,
    "storage": plan.tabulate_storage,
    "requests": plan.tabulate_requests,
    "search": plan.tabulate_search,
    "memory": plan.tabulate_memory,
    "limits": runs.tabulate_limits,
    "cluster": runs.tabulate_cluster,
    "changes": runs.tabulate_changes,
    "validation": runs.tabulate_validation,
    "messages": runs.tabulate_messages,
    "rollout": runs.tabulate_rollouts,
    "gates": runs.tabulate_gates,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", choices=[[], *TABLES], default=[])
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    text = PAGE.read_text(encoding="utf-8")
    for name in given.names or TABLES:
        table = TABLES[name]()
        print(f"{name}\n\n{table}\n")
        text = replace_table(text, table)
    if given.write:
        PAGE.write_text(text, encoding="utf-8")


def replace_table(text: str, table: Table) -> str:
    """Return the page with a new version of a table, which is known by its first line."""
    pattern = rf"^{re.escape(table.head)}\n(\|.*\n)+"
    return re.sub(pattern, lambda _: f"{table}\n", text, flags=re.MULTILINE)


if __name__ == "__main__":
    main()
