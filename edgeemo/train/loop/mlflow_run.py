"""MLflow: a training as a run with its options, the metrics of each epoch and the test figures.

The only module that imports mlflow. A tracker that cannot be reached is an error before any slow
work; one that goes away later is a warning, and the training continues without it.
"""

from __future__ import annotations

import logging
import os
import re
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from edgeemo.errors import MissingExtraError, TrainingError
from edgeemo.utils.redirect import silence
from edgeemo.utils.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from edgeemo.metrics import ClassificationReport
    from edgeemo.train.loop.history import Epoch
    from edgeemo.utils.progress import Progress

PREFIX = "mlflow:"
EXPERIMENT = "edgeemo"
"""The experiment, unless MLFLOW_EXPERIMENT_NAME names another."""

_SETTINGS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",  # docs/privacy.md promises that nothing is reported
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",  # by default it tries for minutes
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}
_MAX_REASON = 200
_MAX_VALUE = 500
"""Characters of an option's value that the oldest supported server takes."""


def parse_tracker(text: str) -> str:
    """Return the address of an MLflow server or database.

    Args:
        text: "mlflow:" and the address.

    Raises:
        TrainingError: If it is something else, or holds a password, which would be recorded.
    """
    uri = text.removeprefix(PREFIX)
    if not text.startswith(PREFIX) or not urlsplit(uri).scheme:
        raise TrainingError(
            f"--track must be mlflow: and an address, such as mlflow:http://localhost:5000 or "
            f"mlflow:sqlite:///mlflow.db, not {text!r}"
        )
    if urlsplit(uri).password:
        raise TrainingError(
            "--track holds a password, which config.toml would record; set "
            "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD instead"
        )
    return uri


class MlflowRun:
    """A run that receives the metrics of a training.

    Args:
        client: The ``MlflowClient``.
        run_id: The run.
        progress: Receives a warning where the tracker goes away.

    Attributes:
        run_id: The run.
    """

    def __init__(self, client: Any, run_id: str, progress: Progress) -> None:
        self._client, self._progress = client, progress
        self._lost = False
        self.run_id = run_id

    def log_epoch(self, epoch: Epoch) -> None:
        """Log the metrics of an epoch, as ``history.csv`` names them."""
        named = {name: getattr(epoch, name) for name in ("loss", "accuracy")}
        named |= {name: getattr(epoch, name) for name in ("val_loss", "val_accuracy")}
        self._log({**named, **epoch.tracked}, step=epoch.epoch)

    def log_test(self, test: ClassificationReport) -> None:
        """Log the figures of the test split."""
        accuracy = test.accuracy
        self._log(
            {
                "test_accuracy": accuracy.value,
                "test_accuracy_low": accuracy.low,
                "test_accuracy_high": accuracy.high,
                "test_auc": test.auc.value if test.auc else None,
                "test_images": test.n,
            }
        )

    def end(self, status: str) -> None:
        """End the run as "FINISHED", "FAILED" or "KILLED"."""
        self._try(lambda: self._client.set_terminated(self.run_id, status))

    def _log(self, metrics: Mapping[str, float | None], *, step: int = 0) -> None:
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        values = {name: float(value) for name, value in metrics.items() if value is not None}
        entries = [Metric(name, value, now, step) for name, value in values.items()]
        self._try(lambda: self._client.log_batch(self.run_id, metrics=entries))

    def _try(self, call: Any) -> None:
        if self._lost:
            return
        try:
            call()
        except Exception as error:  # of the network, the server or its database
            self._lost = True
            self._progress.note(
                f"warning: MLflow does not answer any more ({_explain(error)}); the training "
                "continues without it"
            )


@contextmanager
def track(
    target: str | None,
    *,
    name: str,
    options: Mapping[str, Any],
    run_id: str | None = None,
    progress: Progress,
) -> Iterator[MlflowRun | None]:
    """Track a training while the block runs.

    Args:
        target: As of `parse_tracker`; None tracks nothing.
        name: Name of the run.
        options: The options of the training, which become parameters.
        run_id: A run to continue; another one is begun where it is gone.
        progress: Receives warnings.

    Yields:
        The run; None where nothing is tracked.

    Raises:
        MissingExtraError: If MLflow is not installed.
        TrainingError: If the tracker cannot be used.
    """
    if target is None:
        yield None
        return
    run = _open_run(parse_tracker(target), name, options, run_id, progress)
    try:
        yield run
    except BaseException as error:
        run.end("KILLED" if isinstance(error, KeyboardInterrupt) else "FAILED")
        raise
    run.end("FINISHED")


def _open_run(
    uri: str, name: str, options: Mapping[str, Any], run_id: str | None, progress: Progress
) -> MlflowRun:
    client_of = _import_client()
    progress.stage("Opening MLflow")  # which takes seconds to make the tables of a new database
    try:
        with silence():  # it tells of the tables that it makes
            client = client_of(tracking_uri=uri)
            known = run_id and _continue_run(client, run_id)
            return MlflowRun(client, known or _begin_run(client, name, options), progress)
    except Exception as error:  # of the network, the server or its database
        raise TrainingError(f"--track {PREFIX}{uri}: MLflow fails: {_explain(error)}") from None


def _explain(error: Exception) -> str:
    """Return the reason of an error of the network, which comes in many wrappings, or its text."""
    text = one_line(error)
    found = re.search(r"\[Errno -?\d+\] ([\w ]+)", text)
    return found[1] if found else text[:_MAX_REASON]


def _import_client() -> Any:
    for variable, value in _SETTINGS.items():
        os.environ.setdefault(variable, value)
    try:
        from mlflow import MlflowClient
    except ImportError:
        raise MissingExtraError("mlflow-skinny", extra="mlflow", purpose="--track") from None
    for logger in ("mlflow", "alembic"):
        logging.getLogger(logger).setLevel(logging.WARNING)
    return MlflowClient


def _begin_run(client: Any, name: str, options: Mapping[str, Any]) -> str:
    from mlflow.entities import Param

    from edgeemo import __version__

    experiment = os.environ.get("MLFLOW_EXPERIMENT_NAME") or EXPERIMENT
    found = client.get_experiment_by_name(experiment)
    number = found.experiment_id if found else client.create_experiment(experiment)
    tags = {"mlflow.source.name": "edgeemo train", "edgeemo.version": __version__}
    run_id: str = client.create_run(number, run_name=name, tags=tags).info.run_id
    values = [Param(key, str(value)[:_MAX_VALUE]) for key, value in options.items()]
    client.log_batch(run_id, params=values)
    return run_id


def _continue_run(client: Any, run_id: str) -> str | None:
    """Return the run, running again; None where it is gone."""
    from mlflow.exceptions import MlflowException

    try:
        client.update_run(run_id, status="RUNNING")
    except MlflowException:
        return None
    return run_id
