"""From a folder of files to clean images in three splits; and faces to practise on.

    >>> from edgeemo.dataset import ingest_folder, open_data
    >>> with open_data(Path("faces.zip")) as folder:  # doctest: +SKIP
    ...     dataset = ingest_folder(folder)

`ingest_folder` needs the ``data`` extra; everything else runs on the light install.
"""

from edgeemo.dataset.ingest.archive import open_data
from edgeemo.dataset.ingest.ingestion import ingest_folder
from edgeemo.dataset.ingest.lookup import locate_files
from edgeemo.dataset.ingest.options import Dataset, IngestOptions, IngestSummary
from edgeemo.dataset.synthetic.draw import draw_faces
from edgeemo.dataset.synthetic.golden import draw_golden_images
from edgeemo.dataset.synthetic.practice import (
    DATA_FOLDER,
    PRACTICE_FOLDER,
    choose_data,
    ensure_practice_faces,
)
from edgeemo.dataset.write.faces_json import FACES_JSON, read_faces_json

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
