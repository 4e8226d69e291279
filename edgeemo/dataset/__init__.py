"""From a folder of files to clean pictures in three splits; and faces to practise on.

    >>> from edgeemo.dataset import ingest, opened_data
    >>> with opened_data(Path("faces.zip")) as folder:  # doctest: +SKIP
    ...     dataset = ingest(folder)

`ingest` needs the ``data`` extra; everything else runs on the light install.
"""

from edgeemo.dataset.archive import opened_data
from edgeemo.dataset.cropped import FACES_JSON, recorded_faces
from edgeemo.dataset.draw import draw_faces
from edgeemo.dataset.golden import golden_pictures
from edgeemo.dataset.ingestion import ingest
from edgeemo.dataset.lookup import locate
from edgeemo.dataset.options import Dataset, IngestOptions, IngestSummary
from edgeemo.dataset.practice import DATA, PRACTICE, choose_data, practice_faces

__all__ = [
    "DATA",
    "FACES_JSON",
    "PRACTICE",
    "Dataset",
    "IngestOptions",
    "IngestSummary",
    "choose_data",
    "draw_faces",
    "golden_pictures",
    "ingest",
    "locate",
    "opened_data",
    "practice_faces",
    "recorded_faces",
]
