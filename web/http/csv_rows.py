"""Rows of a table for a spreadsheet (RFC 4180), of which no cell is ever a formula. Pure."""

import csv
import io
import re
from collections.abc import Sequence

from web.i18n.formats import csv_separator

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
"""By it, spreadsheets know that a file is UTF-8."""
MEDIA_TYPE = "text/csv; charset=utf-8; header=present"
# A sign that may start a formula, unless a letter or a digit stands before it: any other character
# may be what a spreadsheet takes for a separator. The wide forms are those of East Asian keyboards.
_FORMULA = re.compile(r"(?<![^\W_])(?=[=+\-@\uff1d\uff0b\uff0d\uff20])")
_BREAKS = re.compile(r"[\x00-\x1f\x7f\u0085\u2028\u2029]+")


def csv_row(cells: Sequence[str], language: str) -> bytes:
    """One row, in the form that spreadsheets of that language open."""
    line = io.StringIO()
    writer = csv.writer(line, delimiter=csv_separator(language), quoting=csv.QUOTE_ALL)
    writer.writerow([_cell(text) for text in cells])
    return line.getvalue().encode()


def _cell(text: str) -> str:
    """A text of one line that no spreadsheet evaluates, whatever it takes for a separator: a quote
    before each sign that would start a formula."""
    return _FORMULA.sub("'", _BREAKS.sub(" ", text))
