"""``edgeemo data crop``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from edgeemo.cli.command import command
from edgeemo.cli.options.bulk import CLUSTER, bulk_option
from edgeemo.cli.options.data import RemoteSourceArguments
from edgeemo.cli.options.faces import DetectorArguments
from edgeemo.cli.output.data import print_cropped
from edgeemo.cli.output.progress import progress
from edgeemo.errors import OptionError
from edgeemo.model.input_spec import MAX_SIDE
from edgeemo.train.options.shared import FACE_MARGIN
from edgeemo.utils.cluster import check_cluster
from edgeemo.utils.options import Option

if TYPE_CHECKING:
    from edgeemo.dataset.write import CropPlace


@dataclass(frozen=True, kw_only=True)
class CropArguments(DetectorArguments, RemoteSourceArguments):
    """Options of ``edgeemo data crop``."""

    out: Annotated[
        str, Option("Folder to make, or address of one in a bucket.", metavar="DIR|ADDRESS")
    ]
    force: Annotated[bool, Option("Replace a folder that edgeemo wrote itself.")] = False
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
    workers: Annotated[
        int | None,
        bulk_option("Images cropped at the same time.", default="one per core", minimum=1),
    ] = None
    cluster: Annotated[str | None, CLUSTER] = None
    resume: Annotated[
        bool,
        bulk_option("Keep finished images when the command ends early, and continue from them."),
    ] = False
    again: Annotated[
        bool, bulk_option("Remove what a command that ended early has left, and begin again.")
    ] = False

    def make_target(self) -> CropPlace:
        """Return the folder to make.

        Raises:
            DatasetError: If it may not be written, or the images do not exist.
            MissingExtraError: If a package is missing.
            OptionError: If options exclude each other.
        """
        from edgeemo.dataset import check_images
        from edgeemo.dataset.write import CropPlace
        from edgeemo.imaging.suffixes import is_bucket
        from edgeemo.utils.extras import IMAGES, require_packages

        is_kept = bool(self.cluster is not None or self.resume or self.again)
        if self.resume and self.again:
            raise OptionError("--resume excludes --again")
        require_packages(IMAGES, purpose="preparing images")
        check_images(self.source)
        if Path(self.out).resolve() == self.source.resolve():
            import typer

            raise typer.BadParameter(f"{self.out} is where the images are", param_hint="--out")
        if is_kept or is_bucket(self.out):
            self._check_bulk()
        target = CropPlace(
            out=self.out,
            replace=self.force,
            is_kept=is_kept or is_bucket(self.out),
            resume=self.resume,
            again=self.again,
        )
        target.check(str(self.source))
        return target

    def _check_bulk(self) -> None:
        from edgeemo.dataset.ingest.image_list import LIST_SUFFIX
        from edgeemo.utils.extras import require_packages

        if self.cluster is not None:
            purpose = f"--cluster {self.cluster}"
        else:
            purpose = "--resume" if self.resume else "--again" if self.again else self.out
        require_packages(("pyarrow",), purpose=purpose, extra="cluster")
        if self.source.suffix != LIST_SUFFIX and not self.source.is_dir():
            raise OptionError(f"{purpose} requires a folder of images; unpack {self.source}")
        if self.cluster is not None:
            require_packages(("ray",), purpose=purpose, extra="cluster")
            check_cluster(self.cluster, cpus=self.workers or 1, purpose=purpose)


@command(
    "edgeemo data crop photos --out faces",
    "edgeemo data crop photos --out faces --all-faces --face-margin 0.1",
    "edgeemo data crop photos.zip --out faces --size 96",
    "edgeemo data crop photos --out s3://bucket/faces --cluster auto",
)
def crop(given: CropArguments) -> None:
    """Write the faces of photos as images of their own.

    Each goes into the class and split that its photo lies in. crop.csv in the new folder lists the
    outcome of every image, and faces.json how faces were found: 'edgeemo train' reads that, so that
    the model finds them alike in photos. Nothing in the old folder is touched. With --resume, and
    always with --cluster or in a bucket, finished images are kept when the command ends early.
    """
    from edgeemo.bulk.run import Place
    from edgeemo.dataset import open_images
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
    target, place = given.make_target(), Place(workers=given.workers, cluster=given.cluster)
    with progress() as shown, open_images(given.source) as folder:
        cropped = write_crops(folder, target, options=options, place=place, progress=shown)
    print_cropped(cropped, json=given.json)
