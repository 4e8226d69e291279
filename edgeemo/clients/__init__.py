"""Files for other programs, made of verified ones and proved equal to them.

>>> from edgeemo.clients import ClientOptions, export_clients
>>> export_clients("models/mine", options=ClientOptions(c_array=True))  # doctest: +SKIP

Needs no TensorFlow; ``.onnx`` files need onnx.
"""

from edgeemo.clients.c_array import CArray
from edgeemo.clients.exporting import export_clients
from edgeemo.clients.options import FORMS, ClientOptions
from edgeemo.clients.result import ClientExport, ClientFile

__all__ = [
    "FORMS",
    "CArray",
    "ClientExport",
    "ClientFile",
    "ClientOptions",
    "export_clients",
]
