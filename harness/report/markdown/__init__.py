"""A session's report as one Markdown file and its figures, from the journal alone."""

from harness.report.markdown.writing import write

__all__ = ["write"]
