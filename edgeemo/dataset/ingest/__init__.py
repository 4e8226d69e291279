"""From a folder of files to usable images in three splits."""

from edgeemo.dataset.ingest.archive import open_data
from edgeemo.dataset.ingest.ingestion import ingest_folder
from edgeemo.dataset.ingest.lookup import locate_files
from edgeemo.dataset.ingest.options import Dataset, IngestOptions, IngestSummary

__all__ = [
    "Dataset",
    "IngestOptions",
    "IngestSummary",
    "ingest_folder",
    "locate_files",
    "open_data",
]
