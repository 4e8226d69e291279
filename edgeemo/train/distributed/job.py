"""The job that all workers of a training get."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from edgeemo.model.spec import ModelSpec
    from edgeemo.train.data.shared_splits import SharedSplits
    from edgeemo.train.options.options import TrainOptions

_PACKAGES = ("edgeemo", "keras", "jax", "tensorflow")


@dataclass(frozen=True, kw_only=True)
class Job:
    """A training, as its workers need it.

    Attributes:
        options: The training options.
        spec: Spec of the model.
        images: The splits "train" and "validation".
        weights: Initial values of the network's variables.
        teachers: Content of each teacher's ``.keras`` file.
        state: File of the checkpoint, on the machine of the command.
        versions: Versions of the packages that have to be the same.
    """

    options: TrainOptions
    spec: ModelSpec
    images: SharedSplits
    weights: list[NDArray[Any]]
    teachers: tuple[bytes, ...]
    state: Path
    versions: dict[str, str]


def collect_versions() -> dict[str, str]:
    """Return the versions of the packages that have to be the same everywhere."""
    return {name: version(name) for name in _PACKAGES}


def find_version_conflict(required: dict[str, str]) -> str:
    """Return in words which packages have another version here; "" for none."""
    return ", ".join(
        f"{name} {here} here, {required[name]} where the training was started; install the same"
        for name, here in collect_versions().items()
        if here != required[name]
    )
