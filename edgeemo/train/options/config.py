"""A training's options as a TOML file: read with its mistakes named, written back complete."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgeemo.errors import MissingExtraError, TrainingError
from edgeemo.train.options.options import NAMES, TrainOptions, as_plain, converted
from edgeemo.train.options.recipes import recipe
from edgeemo.utils.suggest import describe_unknown

if TYPE_CHECKING:
    from collections.abc import Mapping

PLACES = ("data", "out")
"""Keys of a config file that say where, not how."""


@dataclass(frozen=True, kw_only=True)
class Config:
    """What a config file and the command line say together.

    Attributes:
        data: The images; None if neither says.
        out: The model folder; None if neither says.
        options: The options, with the recipe's where nothing else was said.
        asked: The options that were said, without defaults and the recipe's, as `TrainOptions`
            takes them.
    """

    data: Path | None
    out: Path | None
    options: TrainOptions
    asked: Mapping[str, Any]


def configured(*given: Mapping[str, Any]) -> Config:
    """Put together what was said; what is said later counts.

    Args:
        given: From config file and command line: names of `NAMES` and `PLACES` to values.

    Raises:
        TrainingError: If the recipe is unknown.
    """
    said: dict[str, Any] = {}
    for values in given:
        said.update(values)
    places = {name: said.pop(name, None) for name in PLACES}
    preset = recipe(said["recipe"]).options if said.get("recipe") else {}
    return Config(
        data=_path(places["data"]),
        out=_path(places["out"]),
        options=replace(TrainOptions(), **{**preset, **said}),
        asked=said,
    )


def read_config(path: Path) -> dict[str, Any]:
    """Read a TOML file of options.

    Returns:
        Names of `NAMES` and `PLACES` to values as `TrainOptions` takes them. Relative paths are
        relative to the current folder, as on the command line.

    Raises:
        TrainingError: If the file cannot be read, is not TOML, or has an unknown key or a value of
            the wrong type.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise TrainingError(f"{path}: {(error.strerror or str(error)).lower()}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise TrainingError(f"{path}: not TOML ({error})") from None
    return {name: _value(path, name, value) for name, value in content.items()}


def to_toml(options: TrainOptions, *, data: Path, out: Path) -> str:
    """Every option that was used, as a file that `read_config` reads.

    Raises:
        MissingExtraError: If the library that writes TOML is not installed.
    """
    try:
        import tomli_w
    except ImportError:
        raise MissingExtraError("tomli-w", extra="train", purpose="training") from None
    content = {"data": str(data), "out": str(out), **as_plain(options)}
    return "# What this model was trained with: edgeemo train --config config.toml\n" + (
        tomli_w.dumps(content)
    )


def _value(path: Path, name: str, value: Any) -> Any:
    if name not in (*PLACES, *NAMES):
        raise TrainingError(f"{path}: {describe_unknown('key', name, (*PLACES, *NAMES))}")
    try:
        if name in PLACES:
            if isinstance(value, str):
                return Path(value)
            raise ValueError("text")
        return converted(name, value)
    except ValueError as error:
        raise TrainingError(f"{path}: {name} must be {error}, not {value!r}") from None


def _path(value: Any) -> Path | None:
    return None if value is None else Path(value)
