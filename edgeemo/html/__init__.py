"""HTML pages that hold everything they show: one look, no script, nothing fetched from elsewhere.

A page is a template in ``templates/`` that extends ``base.html`` and takes tables, plots and
galleries of thumbnails from ``parts.html``; `from_document` renders an `edgeemo.document.Document`.
Jinja2 is imported when the first page is made.
"""

from edgeemo.html.documents import from_document
from edgeemo.html.page import render
from edgeemo.html.pictures import figure, thumbnail

__all__ = ["figure", "from_document", "render", "thumbnail"]
