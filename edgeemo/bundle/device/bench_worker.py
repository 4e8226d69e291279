"""``python3 NAME.pyz bench-worker``, hidden from the help: run one round for ``bench``.

Every round is a process of its own; importing this module counts as its start.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeemo.bench import worker
from edgeemo.bundle.device.faces import read_detector_file
from edgeemo.bundle.device.load import build_classifier, member_path

if TYPE_CHECKING:
    from edgeemo.bench.protocol import RoundRequest
    from edgeemo.bundle.device.contents import Contents
    from edgeemo.runtime.classifier import Classifier


def run(contents: Contents, request: str) -> int:
    """Run one round of the file inside, its fallback, or another file.

    Args:
        contents: The bundle.
        request: The request as JSON; see `edgeemo.bench.protocol.RoundRequest`.

    Returns:
        Exit status: 0.
    """

    def load(request: RoundRequest) -> Classifier:
        fallback, faces = contents.manifest.fallback, request.faces
        if fallback and request.path == member_path(contents, fallback):
            contents.use_fallback()
        if request.path == member_path(contents, contents.manifest):
            return build_classifier(contents, threads=request.threads, faces=faces is not None)
        return worker.load_classifier(request, detector_file=read_detector_file(contents, faces))

    return worker.main(request, load)
