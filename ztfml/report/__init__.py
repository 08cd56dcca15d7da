"""A night's page: a summary as a plain dict first, then one HTML file from templates."""

from ztfml.report.page import render, write_report
from ztfml.report.summary import summarize

__all__ = ["render", "summarize", "write_report"]
