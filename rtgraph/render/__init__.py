"""Rows and reports of checks as text for terminals, spreadsheets and other programs."""

from rtgraph.graphmodel.tables import hide
from rtgraph.render.junit import report_junit
from rtgraph.render.markdown import report_markdown
from rtgraph.render.report import (
    report_concise,
    report_csv,
    report_json,
    report_jsonl,
    report_table,
)
from rtgraph.render.rows import (
    rows_csv,
    rows_json,
    rows_jsonl,
    rows_parquet,
    rows_table,
    terminal_width,
)

__all__ = [
    "hide", "report_concise", "report_csv", "report_json", "report_jsonl", "report_junit",
    "report_markdown", "report_table", "rows_csv", "rows_json", "rows_jsonl", "rows_parquet",
    "rows_table", "terminal_width",
]
