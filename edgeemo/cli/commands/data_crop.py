"""``edgeemo data crop``."""

from __future__ import annotations

from typing import Annotated

import typer

from edgeemo.cli.options.common import Json, names
from edgeemo.cli.options.data import Accept, Out, Replace, Source, opened
from edgeemo.cli.options.faces import (
    FaceDetector,
    FaceMargin,
    FaceModelFile,
    FaceScore,
    face_request,
)
from edgeemo.cli.output.console import EXAMPLES
from edgeemo.cli.output.data import print_cropped
from edgeemo.cli.output.progress import progress

EXAMPLES_OF_CROP = f"""{EXAMPLES}  edgeemo data crop photos --out faces
  edgeemo data crop photos --out faces --all-faces --face-margin 0.1
  edgeemo data crop photos.zip --out faces --size 96
"""


def crop(
    source: Source,
    out: Out,
    size: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            max=4096,
            help="Side of the crops in pixels.",
            show_default="as large as they are",
        ),
    ] = None,
    all_faces: Annotated[
        bool,
        typer.Option("--all-faces", help="Write every face of an image, not only the largest."),
    ] = False,
    face_detector: FaceDetector = None,
    face_margin: FaceMargin = None,
    face_score: FaceScore = None,
    face_model: FaceModelFile = None,
    accept: Accept = None,
    force: Replace = False,
    json: Json = False,
) -> None:
    """Write the faces of photos as images of their own.

    Each goes into the class and split that its photo lies in. crop.csv in the new folder says what
    became of every image, and faces.json how faces were found: 'edgeemo train' reads that, so
    that the model finds them alike in photos. Nothing in the old folder is touched.
    """
    from edgeemo.dataset import IngestOptions
    from edgeemo.dataset.write.crop import CropOptions, write_crops
    from edgeemo.model.face_settings import FaceSettings

    request = face_request(
        True, detector=face_detector, margin=face_margin, score=face_score, file=face_model
    )
    options = CropOptions(
        faces=request.apply(FaceSettings()) or FaceSettings(),
        detector_file=request.file,
        accept=IngestOptions(accept=names(accept)).accept,
        all_faces=all_faces,
        size=size,
    )
    with progress() as shown, opened(source, out) as folder:
        cropped = write_crops(folder, out, options=options, replace=force, progress=shown)
    print_cropped(cropped, json=json)
