"""A training's options: merged from TOML files, recipes and the command line; written as TOML."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgeemo.errors import DatasetError, MissingExtraError, TrainingError
from edgeemo.train.data.source import read_source, record_source
from edgeemo.train.options.options import DECIDED, KEYS, TrainOptions
from edgeemo.train.options.recipes import get_recipe
from edgeemo.train.options.record import record_options
from edgeemo.utils.options import option_fields
from edgeemo.utils.suggest import describe_unknown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgeemo.train.data.source import ImageSource

PLACES = ("data", "out")
"""Keys of a configuration file that are places, not options."""


@dataclass(frozen=True, kw_only=True)
class Config:
    """The options that a configuration file and the command line give together.

    Attributes:
        data: The images, a folder or several collections; None if neither names them.
        out: The model folder; None if neither names it.
        options: All options: those given, those of the recipe, the defaults.
        given: Only those given, by name.
    """

    data: ImageSource | None
    out: Path | None
    options: TrainOptions
    given: Mapping[str, Any]


def merge_options(*sources: Mapping[str, Any]) -> Config:
    """Merge options; a later source overrides an earlier one, and all override the recipe.

    Args:
        sources: Names of options and `PLACES` to values, as `read_config` returns them.

    Raises:
        TrainingError: If the recipe is unknown, or a value is wrong.
    """
    given: dict[str, Any] = {}
    for values in sources:
        given.update(values)
    data, out = (given.pop(name, None) for name in PLACES)
    preset = get_recipe(given["recipe"]).options if given.get("recipe") else {}
    options = TrainOptions(**{**preset, **given})
    if options.undecided:
        options = replace(options, undecided=DECIDED - {*preset, *given})
    return Config(data=data, out=out, options=options, given=given)


def read_config(path: Path) -> dict[str, Any]:
    """Read a TOML file of options.

    Returns:
        Names of options and `PLACES` to values as `TrainOptions` has them. Relative paths are
        relative to the current folder, as on the command line.

    Raises:
        TrainingError: If the file cannot be read, is not TOML, or has an unknown key or a wrong
            value.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise TrainingError(f"{path}: {(error.strerror or str(error)).lower()}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise TrainingError(f"{path}: not TOML ({error})") from None
    return {KEYS.get(key, key): _convert(path, key, value) for key, value in content.items()}


def to_toml(options: TrainOptions, *, data: ImageSource, out: Path) -> str:
    """Return all options that were used, as a file for `read_config`.

    Raises:
        MissingExtraError: If the library that writes TOML is not installed.
    """
    try:
        import tomli_w
    except ImportError:
        raise MissingExtraError("tomli-w", extra="train", purpose="training") from None
    content = {"data": record_source(data), "out": str(out), **record_options(options)}
    comments = ("What this model was trained with: edgeemo train --config config.toml",)
    lines = [f"# {line}\n" for line in (*comments, *options.reasons)]
    return "".join(lines) + tomli_w.dumps(content)


def _convert(path: Path, name: str, value: Any) -> Any:
    if name == "data":
        try:
            return read_source(value)
        except (DatasetError, TypeError) as error:
            raise TrainingError(f"{path}: {error}") from None
    if name in PLACES:
        if isinstance(value, str):
            return Path(value)
        raise TrainingError(f"{path}: {name} must be a path, not {value!r}")
    if name not in KEYS:
        raise TrainingError(f"{path}: {describe_unknown('key', name, (*PLACES, *KEYS))}")
    try:
        return option_fields(TrainOptions)[KEYS[name]].convert(value)
    except ValueError as error:
        raise TrainingError(f"{path}: {name} {error}") from None
