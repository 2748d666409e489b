# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter that lays out tables."""

from __future__ import annotations

import typing as t

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.raylogs.efk.plugins.filter.table import FilterModule, fit, look_up, table

WIDTH = 60


@pytest.mark.parametrize(
    ("row", "path", "value"),
    [
        pytest.param({"a": 1}, "a", 1, id="a key"),
        pytest.param({"a": {"b": 1}}, "a.b", 1, id="a path"),
        pytest.param({"fields": {"ray.task_name": "f"}}, "fields.ray.task_name", "f", id="a key with a dot in a path"),
        pytest.param({"a.b": {"c": 1}}, "a.b.c", 1, id="a path that begins with such a key"),
        pytest.param({"a.b": 1, "a": {"b": 2}}, "a.b", 1, id="the whole key wins"),
        pytest.param({"a": 1}, "a.b", None, id="no dictionary on the way"),
        pytest.param({}, "a", None, id="nothing"),
    ],
)
def test_look_up(row: dict[str, t.Any], path: str, value: object) -> None:
    assert look_up(row, path) == value


@pytest.mark.parametrize(
    ("style", "value", "text"),
    [
        ("text", "two\nlines\tand a\x1b[31m colour", "two lines and a [31m colour"),
        ("text", ["a", "b"], "a, b"),
        ("text", "", "-"),
        ("text", None, "-"),
        ("text", 0, "0"),
        ("upper", "error", "ERROR"),
        ("count", 1234567, "1,234,567"),
        ("bytes", 999, "999 B"),
        ("bytes", 1536000, "1.5 MB"),
        ("bytes", 10**18, "1000000.0 TB"),
        ("duration", 12, "12 ns"),
        ("duration", 1500, "1.50 µs"),
        ("duration", 2_500_000_000, "2.50 s"),
        ("duration", 90_000_000_000, "1.50 min"),
        ("time", "2026-11-23T11:46:50.132Z", "2026-11-23 11:46:50.132"),
        ("time", "2026-11-23T11:46:50.132456+02:00", "2026-11-23 09:46:50.132"),
    ],
)
def test_formats(style: str, value: object, text: str) -> None:
    cells = table([{"a": value}], [{"key": "a", "title": "A", "format": style}]).splitlines()
    assert cells[2].strip() == text


def test_numbers_stand_right_and_text_left() -> None:
    columns = [{"key": "name", "title": "Name"}, {"key": "n", "title": "N", "format": "count"}]
    assert table([{"name": "a", "n": 5}, {"name": "long", "n": 1000}], columns) == (
        "Name      N\n────  ─────\na         5\nlong  1,000"
    )


def test_the_widest_text_gives_way() -> None:
    columns = [{"key": "a", "title": "A"}, {"key": "b", "title": "B"}]
    lines = table([{"a": "x" * 20, "b": "y" * 200}], columns, width=WIDTH).splitlines()
    assert [len(line) for line in lines] == [len("A") + 18 + 2 + 1, WIDTH, WIDTH]
    assert lines[2].endswith("y…")


def test_wide_letters_take_two_columns() -> None:
    assert fit("日本語", 5) == "日本…"
    assert fit("日本", 6, right=True) == "  日本"
    assert fit("e\u0301", 3) == "e\u0301  "


def test_no_rows_leave_the_heading() -> None:
    assert table([], [{"key": "a", "title": "Alpha"}]) == "Alpha\n─────"


@pytest.mark.parametrize(
    ("rows", "columns"),
    [
        pytest.param([{"a": 1}], [{"key": "a"}], id="a column without title"),
        pytest.param([{"a": "x"}], [{"key": "a", "title": "A", "format": "count"}], id="a value that is no number"),
        pytest.param([{"a": 1}], [{"key": "a", "title": "A", "format": "colour"}], id="an unknown format"),
    ],
)
def test_what_cannot_be_laid_out_is_an_error(rows: list[dict[str, t.Any]], columns: list[dict[str, t.Any]]) -> None:
    with pytest.raises(AnsibleFilterError, match="Cannot lay out the table"):
        table(rows, columns)


def test_the_filter_has_its_name() -> None:
    assert FilterModule().filters() == {"table": table}
