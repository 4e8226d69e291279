"""Trials side by side on Ray, one of which loses its process."""

from __future__ import annotations

import os
import signal
from importlib.util import find_spec
from pathlib import Path

import pytest

from edgeemo.errors import ClusterError, StudyError
from edgeemo.train import TrainOptions
from edgeemo.tune import Placement
from edgeemo.utils.progress import Silent

pytestmark = pytest.mark.tensorflow


class Killer(Silent):
    """A `Progress` that kills the process of a trial once one is trained."""

    def __init__(self) -> None:
        self.killed: list[int] = []
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)

    def advance(self, steps: int = 1, *, detail: str = "") -> None:
        if not self.killed and detail.startswith("trial"):
            self.killed = find_trials()[:1]
            os.kill(self.killed[0], signal.SIGKILL)


def find_trials() -> list[int]:
    """Process ids of the trials that this process trains."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if b"ray::train_remotely" in (folder / "cmdline").read_bytes():
                found += [int(folder.name)] if is_below(folder) else []
        except OSError:
            continue
    return found


def is_below(folder: Path) -> bool:
    """Whether a process stems from this one."""
    while folder.name not in ("0", "1"):
        if folder.name == str(os.getpid()):
            return True
        folder = folder.with_name((folder / "stat").read_text().rpartition(")")[2].split()[1])
    return False


@pytest.mark.ray
@pytest.mark.skipif(find_spec("ray") is None, reason="Ray is not installed")
def test_a_trial_whose_process_dies_is_trained_again(search, tmp_path):
    progress = Killer()
    found = search(
        tmp_path / "study.journal",
        4,
        base=TrainOptions(mode="plain", channels=1, epochs=30, batch_size=16),
        placement=Placement(workers=2),
        progress=progress,
    )
    assert progress.killed
    assert len(found.trials) == 4
    assert {trial.state for trial in found.trials} <= {"complete", "pruned"}, progress.notes
    assert all(trial.epochs_run for trial in found.trials)
    assert not find_trials()


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"workers": 0}, StudyError, "workers must be 1 to 65,536, not 0"),
        ({"gpus": -1}, StudyError, "gpus must be 0 to 64"),
        ({"gpus": 1.5}, StudyError, "gpus must be at most 1, or a whole number"),
        ({"workers": 60_000}, ClusterError, "--workers 60000 requires 60,000 CPUs, and this mach"),
        ({"cluster": "127.0.0.1:9"}, ClusterError, "--cluster 127.0.0.1:9: no answer"),
        ({"cluster": "ray://x:1"}, ClusterError, "give HOST:PORT of the head node"),
    ],
)
def test_a_wrong_placement_is_one_line(search, tmp_path, given, error, message):
    if error is ClusterError and find_spec("ray") is None:
        pytest.skip("Ray is not installed")
    with pytest.raises(error, match=message):
        search(tmp_path / "study.journal", 1, placement=Placement(**given))
