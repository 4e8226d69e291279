"""The report on a trained or imported model: one value as JSON, Markdown and HTML."""

from edgeemo.train.report.content import TrainingReport
from edgeemo.train.report.writing import write_report

__all__ = ["TrainingReport", "write_report"]
