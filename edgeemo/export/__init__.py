"""Export: a trained model as TFLite and ONNX files, float and integer, each one checked.

>>> from edgeemo.export import ExportOptions, export
>>> from edgeemo.model.folder import open_folder
>>> folder = open_folder("models/happy-sad")  # doctest: +SKIP
>>> export(folder, options=ExportOptions(int8=True))  # doctest: +SKIP

Needs the `train` extra, which is imported when an export starts.
"""

from edgeemo.export.exporting import check_packages, export
from edgeemo.export.options import ExportedFile, ExportOptions
from edgeemo.utils.lazy import make_callable

__all__ = ["ExportOptions", "ExportedFile", "check_packages", "export"]

make_callable(__name__)
