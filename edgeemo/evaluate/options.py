"""Options of an evaluation."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from edgeemo.bulk.options import check_options
from edgeemo.errors import OptionError
from edgeemo.evaluate.labelled import ClassChoice
from edgeemo.evaluate.loading import is_keras_name
from edgeemo.model.face_request import FaceRequest
from edgeemo.runtime.classifier import Classifier
from edgeemo.utils.cluster import check_cluster

if TYPE_CHECKING:
    import os

    from edgeemo.evaluate.slices import SliceBy


@dataclass(frozen=True, kw_only=True)
class EvaluationOptions:
    """Options of an evaluation.

    Attributes:
        choice: The images to take, and the label that each class folder is.
        faces: Requested changes to the model's face settings. Without any, a model for faces takes
            face crops whole and detects the faces in photos.
        slice_by: What to slice the images by; None for nothing.
        exclude_trained: Whether to leave out the images that the model was trained on.
        threads: Threads per prediction; by default that of the model folder, else 1.
        workers: Images predicted at the same time; by default cores / threads, or all CPUs of the
            cluster.
        seed: Seed of the bootstrap of the mean over the classes.
        cluster: HOST:PORT of the head node of a Ray cluster that predicts, or "auto" on one of its
            nodes; None for this machine.
        keep: Folder, or address of one in a bucket, that keeps the outcome of each image as Parquet
            files; None keeps none.
        resume: Whether to continue the run in `keep`, if one is there.
        again: Whether to remove the run in `keep`, if one is there.
    """

    choice: ClassChoice = field(default_factory=ClassChoice)
    faces: FaceRequest = field(default_factory=FaceRequest)
    slice_by: SliceBy | None = None
    exclude_trained: bool = False
    threads: int | None = None
    workers: int | None = None
    seed: int = 0
    cluster: str | None = None
    keep: str | os.PathLike[str] | None = None
    resume: bool = False
    again: bool = False

    def check(self, model: Classifier | str | os.PathLike[str], data: str) -> None:
        """Refuse options that cannot hold, before any slow work.

        Args:
            model: The model that is evaluated.
            data: The data that it is evaluated on.

        Raises:
            OptionError: If options exclude each other, or a cluster cannot run the model or read
                the data.
            ClusterError: If nothing answers at the address of the cluster.
            MissingExtraError: If a package is missing.
        """
        check_options(cluster=self.cluster, keep=self.keep, resume=self.resume, again=self.again)
        if self.cluster is not None:
            _check_portable(Path(model.path if isinstance(model, Classifier) else model), data)
            cpus = (self.workers or 1) * (self.threads or 1)
            check_cluster(self.cluster, cpus=cpus, purpose=f"--cluster {self.cluster}")


def _check_portable(model: Path, data: str) -> None:
    """Refuse for a cluster what its nodes cannot use.

    Raises:
        OptionError: If the model is a reference model, or the data an archive.
    """
    if is_keras_name(model):
        raise OptionError(f"--cluster requires an exported model (.tflite or .onnx), not {model}")
    if zipfile.is_zipfile(data):
        raise OptionError(
            f"--cluster requires images that every node can read: unpack {data} into a folder that "
            "all nodes share, or a bucket"
        )
