# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Print rows as a table that a person likes to read."""

from __future__ import annotations

import datetime as dt
import typing as t
import unicodedata

from ansible.errors import AnsibleFilterError

Row = t.Mapping[str, t.Any]
RIGHT = {"count", "bytes", "duration"}
MISSING = "-"
CUT = "…"
NARROWEST = 12
GAP = "  "
BYTE_UNITS = ("B", "KB", "MB", "GB", "TB")
KILO = 1000
NANOSECONDS = ((60_000_000_000, "min"), (1_000_000_000, "s"), (1_000_000, "ms"), (1_000, "µs"))


def look_up(row: Row, path: str) -> t.Any:
    """Return the value under a key, or under keys with dots between; the keys themselves may hold dots."""
    if path in row:
        return row[path]
    for dot in (number for number, letter in enumerate(path) if letter == "."):
        inner = row.get(path[:dot])
        value = look_up(inner, path[dot + 1 :]) if isinstance(inner, t.Mapping) else None
        if value is not None:
            return value
    return None


def format_bytes(value: float) -> str:
    """Write a number of bytes with its unit: 1536000 is 1.5 MB."""
    exponent = 0
    while value >= KILO and exponent < len(BYTE_UNITS) - 1:
        value /= KILO
        exponent += 1
    return f"{value:.1f} {BYTE_UNITS[exponent]}" if exponent else f"{value:.0f} B"


def format_duration(nanoseconds: float) -> str:
    """Write nanoseconds in the unit that fits: 2500000000 is 2.50 s."""
    for factor, unit in NANOSECONDS:
        if nanoseconds >= factor:
            return f"{nanoseconds / factor:.2f} {unit}"
    return f"{nanoseconds:.0f} ns"


def format_time(value: str) -> str:
    """Write a time of Elasticsearch to the millisecond, in UTC and without the letters between."""
    moment = dt.datetime.fromisoformat(value.replace("Z", "+00:00"))
    return f"{moment.astimezone(dt.timezone.utc):%Y-%m-%d %H:%M:%S.%f}"[:-3]


def format_text(value: t.Any) -> str:
    """Write a value on one line, without control characters."""
    text = ", ".join(str(item) for item in value) if isinstance(value, list) else str(value)
    return "".join(" " if unicodedata.category(letter) in {"Cc", "Zl", "Zp"} else letter for letter in text).strip()


FORMATS: dict[str, t.Callable[[t.Any], str]] = {
    "text": format_text,
    "count": lambda value: f"{int(value):,}",
    "bytes": lambda value: format_bytes(float(value)),
    "duration": lambda value: format_duration(float(value)),
    "time": format_time,
    "upper": lambda value: format_text(value).upper(),
}


def width_of(text: str) -> int:
    """Return how many columns of a terminal a text takes."""
    letters = [letter for letter in text if not unicodedata.combining(letter)]
    return sum(2 if unicodedata.east_asian_width(letter) in {"F", "W"} else 1 for letter in letters)


def fit(text: str, width: int, *, right: bool = False) -> str:
    """Cut or fill a text to a width."""
    if width_of(text) > width:
        while text and width_of(text) > width - 1:
            text = text[:-1]
        text += CUT
    padding = " " * (width - width_of(text))
    return padding + text if right else text + padding


def table(rows: t.Sequence[Row], columns: t.Sequence[Row], width: int = 120) -> str:
    """Lay rows out below their headings; the widest column of text gives way when the line would be too long.

    :raises AnsibleFilterError: when a column is not described or a value does not fit its format.
    """
    try:
        cells = [[write_cell(row, column) for column in columns] for row in rows]
        headings = [str(column["title"]) for column in columns]
        right = [column.get("format", "text") in RIGHT for column in columns]
    except (KeyError, TypeError, ValueError) as error:
        raise AnsibleFilterError(f"Cannot lay out the table: {error!r} in a column or a value.") from error
    widths = [max(width_of(line[number]) for line in [headings, *cells]) for number in range(len(columns))]
    excess = sum(widths) + len(GAP) * (len(widths) - 1) - width
    # The last column says most: the others give way to it until it is twice as wide.
    weights = [1] * (len(widths) - 1) + [2]
    texts = [number for number in range(len(columns)) if not right[number]]
    for _shrunk in range(max(excess, 0) if texts else 0):
        widest = max(texts, key=lambda number: widths[number] / weights[number])
        widths[widest] = max(len(headings[widest]), NARROWEST, widths[widest] - 1)
    lines = [
        GAP.join(fit(text, wide, right=side) for text, wide, side in zip(line, widths, right)).rstrip()
        for line in [headings, ["─" * wide for wide in widths], *cells]
    ]
    return "\n".join(lines)


def write_cell(row: Row, column: Row) -> str:
    """Write one value in the format of its column."""
    value = look_up(row, column["key"])
    return MISSING if value is None or value == "" else FORMATS[column.get("format", "text")](value)


class FilterModule:
    """Name the filters of this file."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filters by name."""
        return {"table": table}
