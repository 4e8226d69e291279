"""``train --track mlflow:URI``: options and metrics in MLflow's own database and server."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from importlib.util import find_spec
from unittest.mock import patch
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from edgeemo.dataset import draw_faces
from edgeemo.errors import MissingExtraError, TrainingError
from edgeemo.metrics import measure_classification
from edgeemo.train import TrainOptions, train
from edgeemo.train.loop.history import Epoch
from edgeemo.train.loop.mlflow_run import parse_tracker, track
from edgeemo.utils.progress import Silent

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")


class _Notes(Silent):
    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)


@pytest.mark.parametrize(
    "text", ["", "logs", "mlflow", "mlflow:", "mlflow:runs", "http://localhost:5000", "wandb:x"]
)
def test_another_tracker_is_refused(text):
    with pytest.raises(TrainingError, match="--track must be mlflow: and an address, such as"):
        parse_tracker(text)


def test_a_password_would_be_recorded():
    with pytest.raises(TrainingError, match="MLFLOW_TRACKING_PASSWORD instead") as caught:
        parse_tracker("mlflow:https://me:secret@host")
    assert "secret" not in str(caught.value)


def test_addresses():
    assert parse_tracker("mlflow:http://localhost:5000") == "http://localhost:5000"
    assert parse_tracker("mlflow:sqlite:///a/b.db") == "sqlite:///a/b.db"


def test_without_mlflow_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "mlflow", None)
    opened = track("mlflow:sqlite:///x.db", name="x", options={}, progress=Silent())
    with pytest.raises(MissingExtraError, match=r"pip install .*\[mlflow\]'"), opened:
        pass


@pytest.fixture(scope="module")
def client_of():
    return pytest.importorskip("mlflow", reason="mlflow-skinny is not installed").MlflowClient


@pytest.fixture(scope="module")
def tables(client_of, tmp_path_factory):
    """A database without runs: its tables take seconds to make."""
    path = tmp_path_factory.mktemp("mlflow") / "empty.db"
    with (
        pytest.raises(TrainingError, match="no run"),
        patch("edgeemo.train.loop.mlflow_run._begin_run", side_effect=RuntimeError("no run")),
        track(f"mlflow:sqlite:///{path}", name="x", options={}, progress=Silent()),
    ):
        pass
    return path


@pytest.fixture
def database(tables, tmp_path):
    shutil.copy(tables, tmp_path / "mlflow.db")
    return f"mlflow:sqlite:///{tmp_path}/mlflow.db"


def _epoch(number: int) -> Epoch:
    return Epoch(epoch=number, loss=1 / number, accuracy=0.5, tracked={"auc": 0.25})


def _read(client_of, target: str):
    client = client_of(tracking_uri=parse_tracker(target))
    experiment = client.get_experiment_by_name("edgeemo")
    runs = client.search_runs([experiment.experiment_id])
    steps = [
        [(each.step, each.value) for each in client.get_metric_history(run.info.run_id, "loss")]
        for run in runs
    ]
    return runs, steps


def _check_a_run(client_of, target: str) -> None:
    options = {"arch": "edge", "metrics": ["auc"], "labels": "x" * 999}
    with track(target, name="mine", options=options, progress=Silent()) as run:
        run.log_epoch(_epoch(1))
        run.log_epoch(_epoch(2))
        scores = [(0.9, 0.1), (0.2, 0.8), (0.7, 0.3), (0.6, 0.4)]
        run.log_test(measure_classification([0, 1, 1, 0], [0, 1, 0, 0], scores, labels="ab"))
    (found,), (steps,) = _read(client_of, target)
    assert (found.info.run_name, found.info.status) == ("mine", "FINISHED")
    assert found.data.params == {"arch": "edge", "metrics": "['auc']", "labels": "x" * 500}
    assert steps == [(1, 1.0), (2, 0.5)]
    metrics = found.data.metrics
    assert (metrics["auc"], metrics["test_accuracy"], metrics["test_images"]) == (0.25, 0.75, 4)
    assert "val_loss" not in metrics


@pytest.mark.slow
def test_a_run_in_a_database(client_of, database, capfd):
    _check_a_run(client_of, database)
    assert capfd.readouterr() == ("", "")


@pytest.mark.slow
def test_a_run_on_mlflows_server(client_of, tmp_path, capfd):
    if find_spec("flask") is None:
        pytest.skip("MLflow's server is not installed: pip install --group dev")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        address = f"http://127.0.0.1:{probe.getsockname()[1]}"
    words = ["--host", "127.0.0.1", "--port", address.rpartition(":")[2], "--workers", "1"]
    store = ["--backend-store-uri", f"sqlite:///{tmp_path}/server.db"]
    command = [sys.executable, "-m", "mlflow", "server", *words, *store]
    alone = {**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    nothing = subprocess.DEVNULL
    with subprocess.Popen(command, env=alone, stdout=nothing, stderr=nothing) as server:
        try:
            _wait_for(f"{address}/health")
            _check_a_run(client_of, f"mlflow:{address}")
        finally:
            server.terminate()
    assert capfd.readouterr().out == ""


def _wait_for(address: str) -> None:
    for _ in range(300):
        try:
            with urlopen(address):
                return
        except (URLError, ConnectionError):
            time.sleep(0.2)
    raise TimeoutError(address)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("error", "status"), [(KeyboardInterrupt, "KILLED"), (TrainingError, "FAILED")]
)
def test_a_run_that_ends_early_says_so_and_is_continued(client_of, database, error, status):
    with (
        pytest.raises(error),
        track(database, name="mine", options={"epochs": 3}, progress=Silent()) as run,
    ):
        run.log_epoch(_epoch(1))
        raise error
    (found,), _ = _read(client_of, database)
    assert found.info.status == status
    with track(database, name="mine", options={}, run_id=run.run_id, progress=Silent()) as again:
        again.log_epoch(_epoch(2))
    (found,), (steps,) = _read(client_of, database)
    assert (found.info.status, [step for step, _ in steps]) == ("FINISHED", [1, 2])


@pytest.mark.slow
def test_a_run_that_is_gone_is_begun_anew(client_of, database):
    with track(database, name="mine", options={}, run_id="0" * 32, progress=Silent()) as run:
        assert run.run_id != "0" * 32


def test_a_server_that_is_not_there_is_refused_at_once(client_of, monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    opened = track("mlflow:http://127.0.0.1:9", name="x", options={}, progress=Silent())
    with pytest.raises(TrainingError, match=r"127\.0\.0\.1:9: MLflow fails: Connection refused$"):
        opened.__enter__()


@pytest.mark.slow
def test_a_tracker_that_goes_away_is_one_warning(client_of, database):
    progress = _Notes()
    with track(database, name="mine", options={}, progress=progress) as run:
        run._client = None
        for number in (1, 2, 3):
            run.log_epoch(_epoch(number))
    (note,) = progress.notes
    assert note.startswith("warning: MLflow does not answer any more")


@pytest.mark.tensorflow
def test_a_training_is_tracked(client_of, database, tmp_path):
    draw_faces(tmp_path / "faces", count=24, size=32)
    options = TrainOptions(arch="cnn-16-32-16", size=32, epochs=2, track=database)
    model = train(tmp_path / "faces", tmp_path / "mine", options=options)
    (found,), (steps,) = _read(client_of, database)
    assert (found.info.run_name, found.info.status) == ("mine", "FINISHED")
    assert (found.data.params["arch"], found.data.params["epochs"]) == ("cnn-16-32-16", "2")
    assert [step for step, _ in steps] == [1, 2]
    assert found.data.metrics["test_accuracy"] == model.report.test.accuracy.value
