"""Options of a live run from a TOML file and the command line."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, Any, TypeVar

from edgeemo.errors import OptionError
from edgeemo.utils.options import option_fields

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from edgeemo.live.options import LiveOptions
    from edgeemo.utils.options import OptionField

_T = TypeVar("_T")

_NOT_IN_FILES = ("config", "list")
"""Options of the command line alone."""

_READ_BY_OTHERS = stat.S_IRGRP | stat.S_IROTH

_MAY_HOLD_PASSWORDS = ("source", "mqtt", "webhook", "on_change")
"""Options whose values no message repeats."""


def merge_options(cls: type[_T], given: Mapping[str, Any], *, without: Collection[str] = ()) -> _T:
    """Return the options of a run: those given, below them those of the file given as "config".

    Args:
        cls: Dataclass of all options, as of `edgeemo.utils.options`, "config" among them.
        given: Options of the command line, by name.
        without: Names of options that do not exist here.

    Raises:
        OptionError: As `read_config`.
    """
    config = given.get("config")
    read = read_config(config, cls, without=without) if config else {}
    if "format" in given:
        read.pop("json", None)  # which is the same as one of its values
    return cls(**{**read, **given})


def find_readable_password(options: LiveOptions) -> str:
    """Return a warning about a configuration file with a password that others may read, or ""."""
    if options.config is None or os.name != "posix":
        return ""
    addresses = (options.source, options.mqtt or "", options.webhook or "")
    has_password = any("@" in each.partition("://")[2] for each in addresses)
    if not (has_password and options.config.stat().st_mode & _READ_BY_OTHERS):
        return ""
    import shlex

    path = options.config
    return f"{path} holds a password, and others may read it: chmod 600 {shlex.quote(str(path))}"


def read_config(path: Path, cls: Any, *, without: Collection[str] = ()) -> dict[str, Any]:
    """Read a TOML file of options.

    Args:
        path: The file.
        cls: See `merge_options`.
        without: See `merge_options`.

    Returns:
        Values by name. Relative paths are relative to the current folder, as on the command line.

    Raises:
        OptionError: If the file cannot be read, is not TOML, or has an unknown key or a wrong
            value.
    """
    import tomllib

    left_out = {*_NOT_IN_FILES, *without}
    known = {each.key: each for each in option_fields(cls).values() if each.name not in left_out}
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise OptionError(f"{path}: {(error.strerror or str(error)).lower()}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise OptionError(f"{path}: not TOML ({error})") from None
    return {
        _find(path, key, known).name: _convert(path, known[key], value)
        for key, value in content.items()
    }


def _find(path: Path, key: str, known: Mapping[str, OptionField]) -> OptionField:
    if key not in known:
        from edgeemo.utils.suggest import describe_unknown

        raise OptionError(f"{path}: {describe_unknown('key', key, known)}")
    return known[key]


def _convert(path: Path, option: OptionField, value: Any) -> Any:
    try:
        return option.convert(value)
    except ValueError as error:
        rule, _, _ = str(error).partition(", not ")
        shown = rule if option.key in _MAY_HOLD_PASSWORDS else error
        raise OptionError(f"{path}: {option.key} {shown}") from None
