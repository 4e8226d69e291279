"""``edgeemo recipes``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edgeemo.cli.options.common import Json  # noqa: TC001 - Typer reads it when it runs
from edgeemo.cli.output.console import EXAMPLES, print_json, print_table

if TYPE_CHECKING:
    import typer

_EXAMPLES = f"""{EXAMPLES}  edgeemo recipes
  edgeemo train --recipe focal --data faces
"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("recipes", epilog=_EXAMPLES)(recipes)


def recipes(json: Json = False) -> None:
    """List the published happy/sad projects that one command repeats, and what each sets."""
    from edgeemo.train.options.options import plain
    from edgeemo.train.options.recipes import RECIPES

    sets = {
        name: {option: plain(value) for option, value in recipe.options.items()}
        for name, recipe in RECIPES.items()
    }
    if json:
        print_json({name: {"summary": RECIPES[name].summary, "sets": sets[name]} for name in sets})
        return
    rows = [[name, RECIPES[name].summary, _flags(options)] for name, options in sets.items()]
    print_table(["recipe", "what it is", "sets"], rows, numbers_from=3)


def _flags(options: dict[str, Any]) -> str:
    """The options as one would type them."""
    return " ".join(f"--{name.replace('_', '-')} {_text(value)}" for name, value in options.items())


def _text(value: Any) -> str:
    return ",".join(f"{each}" for each in value) if isinstance(value, list) else f"{value}"
