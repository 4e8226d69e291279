"""``edgeemo recipes``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edgeemo.cli.command import command
from edgeemo.cli.options.common import Json
from edgeemo.cli.output.console import print_json, print_table

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, kw_only=True)
class RecipesArguments:
    """Options of ``edgeemo recipes``."""

    json: Json = False


@command("edgeemo recipes", "edgeemo train --recipe focal --data faces")
def recipes(given: RecipesArguments) -> None:
    """List the published projects that one command repeats.

    Each is a name for --recipe of 'edgeemo train'; the list shows the options that it sets.
    """
    from edgeemo.train.options.recipes import RECIPES
    from edgeemo.utils.serialize import to_plain

    sets = {name: to_plain(recipe.options) for name, recipe in RECIPES.items()}
    if given.json:
        print_json({name: {"summary": RECIPES[name].summary, "sets": sets[name]} for name in sets})
        return
    rows = [[name, RECIPES[name].summary, _flags(options)] for name, options in sets.items()]
    print_table(["recipe", "summary", "sets"], rows, numbers_from=3, prose=["summary", "sets"])


def _flags(options: Mapping[str, Any]) -> str:
    """Return the options as one would type them."""
    return " ".join(f"--{name.replace('_', '-')} {_text(value)}" for name, value in options.items())


def _text(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)
