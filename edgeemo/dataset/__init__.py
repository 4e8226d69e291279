"""From a folder of files to clean images in three splits; and faces to practise on.

    >>> from edgeemo.dataset import ingest, opened_data
    >>> with opened_data(Path("faces.zip")) as folder:  # doctest: +SKIP
    ...     dataset = ingest(folder)

`ingest` needs the ``data`` extra; everything else runs on the light install.
"""

from edgeemo.dataset.ingest.archive import opened_data
from edgeemo.dataset.ingest.ingestion import ingest
from edgeemo.dataset.ingest.lookup import locate
from edgeemo.dataset.ingest.options import Dataset, IngestOptions, IngestSummary
from edgeemo.dataset.synthetic.draw import draw_faces
from edgeemo.dataset.synthetic.golden import golden_images
from edgeemo.dataset.synthetic.practice import DATA, PRACTICE, choose_data, practice_faces
from edgeemo.dataset.write.cropped import FACES_JSON, recorded_faces

__all__ = [
    "DATA",
    "FACES_JSON",
    "PRACTICE",
    "Dataset",
    "IngestOptions",
    "IngestSummary",
    "choose_data",
    "draw_faces",
    "golden_images",
    "ingest",
    "locate",
    "opened_data",
    "practice_faces",
    "recorded_faces",
]
