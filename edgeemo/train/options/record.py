"""The options of a training as JSON and TOML record them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edgeemo.errors import TrainingError
from edgeemo.train.loop.losses import default_lr
from edgeemo.train.options.faces import choose_detector
from edgeemo.train.options.options import KEYS, TrainOptions
from edgeemo.utils.serialize import to_plain
from edgeemo.utils.suggest import describe_unknown

if TYPE_CHECKING:
    from collections.abc import Mapping


def record_options(options: TrainOptions) -> dict[str, Any]:
    """Return the options as plain values, with the defaults that depend on other options.

    What is None has no entry.
    """
    values = {key: getattr(options, name) for key, name in KEYS.items()}
    values |= {
        "size": options.side,
        "lr": options.lr or default_lr(options.optimizer),
        "face_detector": choose_detector(options),
    }
    return {name: to_plain(value) for name, value in values.items() if value is not None}


def read_options(recorded: Mapping[str, Any]) -> TrainOptions:
    """Return the options that `record_options` recorded.

    Raises:
        TrainingError: If an option is unknown, as one of another version, or a value is wrong.
    """
    for name in recorded:
        if name not in KEYS:
            raise TrainingError(f"recorded {describe_unknown('option', name, KEYS)}")
    values = {KEYS[key]: value for key, value in recorded.items()}
    return TrainOptions(**values, undecided=frozenset())


def find_differences(requested: Mapping[str, Any], recorded: Mapping[str, Any]) -> list[str]:
    """Return in words which requested options differ from recorded ones.

    Args:
        requested: As `record_options` returns them, or some of them.
        recorded: As `record_options` returned them.
    """
    return [
        f"{name.replace('_', ' ')} {recorded.get(name, 'none')} before, {value} now"
        for name, value in requested.items()
        if recorded.get(name) != value
    ]
