"""``edgeemo data crop``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from edgeemo.cli.command import command
from edgeemo.cli.options.data import WritingArguments
from edgeemo.cli.options.faces import DetectorArguments
from edgeemo.cli.output.data import print_cropped
from edgeemo.cli.output.progress import progress
from edgeemo.model.input_spec import MAX_SIDE
from edgeemo.train.options.shared import FACE_MARGIN
from edgeemo.utils.options import Option


@dataclass(frozen=True, kw_only=True)
class CropArguments(DetectorArguments, WritingArguments):
    """Options of ``edgeemo data crop``."""

    size: Annotated[
        int | None,
        Option(
            "Height and width of the crops in pixels.",
            default="as they are",
            minimum=1,
            maximum=MAX_SIDE,
        ),
    ] = None
    all_faces: Annotated[bool, Option("Write every face of an image, not only the largest.")] = (
        False
    )
    face_margin: Annotated[float, FACE_MARGIN] = 0.0


@command(
    "edgeemo data crop photos --out faces",
    "edgeemo data crop photos --out faces --all-faces --face-margin 0.1",
    "edgeemo data crop photos.zip --out faces --size 96",
)
def crop(given: CropArguments) -> None:
    """Write the faces of photos as images of their own.

    Each goes into the class and split that its photo lies in. crop.csv in the new folder lists the
    outcome of every image, and faces.json how faces were found: 'edgeemo train' reads that, so that
    the model finds them alike in photos. Nothing in the old folder is touched.
    """
    from edgeemo.dataset.write import CropOptions, write_crops
    from edgeemo.model.face_settings import FaceSettings
    from edgeemo.utils.extras import require_packages_of_options

    given.check_selection()
    require_packages_of_options(given)
    request = given.request_faces(True, margin=given.face_margin)
    options = CropOptions(
        faces=request.apply(FaceSettings()) or FaceSettings(),
        detector_file=request.file,
        classes=given.classes,
        accept=given.accept,
        all_faces=given.all_faces,
        size=given.size,
    )
    with progress() as shown, given.open_source() as folder:
        cropped = write_crops(
            folder, given.out, options=options, replace=given.force, progress=shown
        )
    print_cropped(cropped, json=given.json)
