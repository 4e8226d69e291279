"""From a folder of files to usable images in three splits; practice faces.

    >>> from edgeemo.dataset import ingest_folder, open_data
    >>> with open_data(Path("faces.zip")) as folder:  # doctest: +SKIP
    ...     dataset = ingest_folder(folder)

`ingest_folder` and the packages `check` and `write` require the ``data`` extra; the rest runs
on the light install.
"""

from edgeemo.dataset.ingest import (
    Dataset,
    IngestOptions,
    IngestSummary,
    ingest_folder,
    locate_files,
    open_data,
)
from edgeemo.dataset.synthetic import (
    DATA_FOLDER,
    PRACTICE_FOLDER,
    choose_data,
    draw_faces,
    draw_golden_images,
    ensure_practice_faces,
)
from edgeemo.dataset.write import FACES_JSON, read_faces_json

__all__ = [
    "DATA_FOLDER",
    "FACES_JSON",
    "PRACTICE_FOLDER",
    "Dataset",
    "IngestOptions",
    "IngestSummary",
    "choose_data",
    "draw_faces",
    "draw_golden_images",
    "ensure_practice_faces",
    "ingest_folder",
    "locate_files",
    "open_data",
    "read_faces_json",
]
