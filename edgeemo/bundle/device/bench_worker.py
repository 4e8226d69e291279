"""``python3 NAME.pyz bench-worker``, not in the help: measures one candidate for ``bench``.

A process of its own for each round; what this module imports counts as its start.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeemo.bench import worker
from edgeemo.bundle.device.faces import detector_file
from edgeemo.bundle.device.load import path_inside, unwarned_classifier

if TYPE_CHECKING:
    from edgeemo.bench.protocol import Job
    from edgeemo.bundle.device.contents import Contents
    from edgeemo.runtime.classifier import Classifier


def run(contents: Contents, job: str) -> int:
    """Do one job, of the file inside, its fallback, or another.

    Returns:
        Exit status: 0.
    """

    def load(job: Job) -> Classifier:
        fallback = contents.manifest.fallback
        if fallback and job.path == path_inside(contents, fallback):
            contents.use_fallback()
        if job.path == path_inside(contents, contents.manifest):
            return unwarned_classifier(contents, threads=job.threads, faces=job.faces is not None)
        return worker.load_file(job, detector_file=detector_file(contents, job.faces))

    return worker.main(job, load)
