"""What all that train together must have alike: JAX, versions, options and images."""

from __future__ import annotations

from dataclasses import asdict
from hashlib import sha256
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from edgeemo.errors import WorkerError
from edgeemo.train.options.record import find_differences, read_options, record_options
from edgeemo.utils.extras import require_packages

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edgeemo.model.tables import Sample
    from edgeemo.train.distributed.messages import Message
    from edgeemo.train.distributed.rank import Rank
    from edgeemo.train.options.options import TrainOptions

_PACKAGES = ("edgeemo", "keras", "jax")


def check_jax() -> None:
    """Refuse to begin without JAX, before any slow work.

    Raises:
        MissingExtraError: If it is not installed.
    """
    require_packages(("jax",), purpose="--workers")


def collect_versions() -> dict[str, str]:
    """Of the packages that must be the same everywhere."""
    return {name: version(name) for name in _PACKAGES}


def fingerprint_samples(samples: Iterable[Sample]) -> list[Any]:
    """SHA-256 over path, class, split and content of every image, and how many they are."""
    rows = sorted("\0".join(map(str, asdict(sample).values())) for sample in samples)
    return [sha256("\n".join(rows).encode()).hexdigest(), len(rows)]


def check_agreement(begun: Message, said: TrainOptions | None, rank: Rank) -> TrainOptions:
    """Worker 0's options, if they and the versions are this machine's, too.

    Args:
        begun: What worker 0 says at the start.
        said: What this machine's command said; None to take what comes.
        rank: This machine's.

    Raises:
        WorkerError: If something differs; the text says what.
    """
    own = collect_versions()
    others = [
        f"{name} {own[name]} here, {there} there"
        for name, there in begun["versions"].items()
        if own.get(name) != there
    ]
    if others:
        raise WorkerError(f"worker 0 has other versions: {', '.join(others)}; install the same")
    recorded = begun["options"]
    changes = find_differences(record_options(said), recorded) if said else []
    if changes:
        text = "; ".join(changes).replace(" before, ", " at worker 0, ").replace(" now", " here")
        raise WorkerError(
            f"{rank.describe(rank.number)} was started otherwise: {text}; start all alike"
        )
    return read_options(recorded)
