"""A document as one HTML file that holds its images: no script, nothing fetched.

Jinja2 is imported when the first page is made.
"""

from edgeemo.report.html.render import check_installed, to_html

__all__ = ["check_installed", "to_html"]
