"""The HTML page of a night: a summary as a plain dict, filled into templates."""

from ztfml.report.page import render, write_report
from ztfml.report.summary import summarize

__all__ = ["render", "summarize", "write_report"]
