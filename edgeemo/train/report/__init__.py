"""The report on a trained or imported model: one value, told as JSON, as Markdown and as HTML."""

from edgeemo.train.report.content import Report
from edgeemo.train.report.writing import write_report

__all__ = ["Report", "write_report"]
