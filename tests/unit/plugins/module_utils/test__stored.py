# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of stored events: places to cut, events to skip, pieces recognised."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.raylogs.efk.plugins.module_utils import _stored

if t.TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("intervals", "expected"),
    [
        pytest.param([], [], id="nothing stored"),
        pytest.param([(0, 10), (10, 5)], [10, 15], id="side by side"),
        pytest.param([(0, 10), (20, 5)], [10, 20, 25], id="a gap"),
        pytest.param([(5, 10)], [5, 15], id="the beginning is missing"),
        pytest.param([(0, 30), (10, 5), (20, 20)], [10, 15, 20, 30, 40], id="one within another"),
        pytest.param([(0, 10), (0, 20), (0, 20)], [10, 20], id="the same beginning twice"),
        pytest.param([(7, 0)], [7], id="no size known"),
    ],
)
def test_cuts_ascend(intervals: list[tuple[int, int]], expected: list[int]) -> None:
    assert list(_stored.cuts(iter(intervals))) == expected


@pytest.mark.parametrize(
    ("intervals", "offset", "covered"),
    [
        pytest.param([(0, 10)], 0, True, id="the same event"),
        pytest.param([(0, 10)], 9, True, id="within a longer one"),
        pytest.param([(0, 10)], 10, False, id="after it"),
        pytest.param([(0, 10), (20, 5)], 12, False, id="in a gap"),
        pytest.param([(0, 30), (10, 5)], 20, True, id="within the first of two that overlap"),
        pytest.param([(7, 0)], 7, True, id="no size known"),
        pytest.param([(7, 0)], 8, False, id="behind one of no size"),
        pytest.param([], 0, False, id="nothing stored"),
    ],
)
def test_an_event_is_present_when_its_first_byte_is(
    intervals: list[tuple[int, int]], offset: int, covered: bool
) -> None:
    present = _stored.Present(iter(intervals))
    assert present.covers(offset) is covered


def test_cuts_and_events_are_read_from_one_stream_at_their_own_pace() -> None:
    present = _stored.Present((place, 10) for place in range(0, 1000, 10))
    assert [next(present.cuts) for _number in range(5)] == [10, 20, 30, 40, 50]
    assert all(present.covers(offset) for offset in range(0, 1000, 10))
    assert not present.covers(1000)
    assert list(present.cuts)[-1] == 1000


LINES = b"begin\n2026-11-23 10:00:41,777 INFO one\n2026-11-23 10:00:42,000 INFO two\n"
ONE = _stored.Sample(6, 33, b":41.777")
TWO = _stored.Sample(39, 33, b":42.000")


@pytest.mark.parametrize(
    ("samples", "known"),
    [
        pytest.param((ONE, TWO), True, id="both are there"),
        pytest.param((ONE,), False, id="too few"),
        pytest.param((), False, id="none"),
        pytest.param((ONE, TWO._replace(time=b":42.001")), False, id="another time"),
        pytest.param((ONE, TWO._replace(offset=40, size=32)), False, id="not at a line's beginning"),
        pytest.param((ONE, TWO._replace(size=34)), False, id="beyond the end"),
    ],
)
def test_a_piece_is_recognised_by_its_timed_events(
    samples: tuple[_stored.Sample, ...], known: bool, tmp_path: Path
) -> None:
    file = tmp_path / "piece"
    file.write_bytes(LINES)
    assert _stored.Found("key", "", samples).is_of(str(file)) is known
