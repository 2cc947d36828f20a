"""Reports: records in, Markdown and figures out, from journals alone."""

from harness.report.markdown import write

__all__ = ["write"]
