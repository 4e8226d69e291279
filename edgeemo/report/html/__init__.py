"""HTML pages that hold everything they show: one look, no script, nothing fetched from elsewhere.

A page is a template in ``templates/`` that extends ``base.html`` and takes tables, plots and
galleries of thumbnails from ``parts.html``; `from_document` renders a `Document`.
Jinja2 is imported when the first page is made.
"""

from edgeemo.report.html.documents import from_document
from edgeemo.report.html.images import figure, thumbnail
from edgeemo.report.html.page import render

__all__ = ["figure", "from_document", "render", "thumbnail"]
