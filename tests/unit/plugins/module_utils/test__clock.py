# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Times of all notations, turned into UTC."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.raylogs.efk.plugins.module_utils import _clock

UTC = _clock.Clock("UTC")
NANOSECOND = 1_795_422_834_012_345_678


@pytest.mark.parametrize(
    ("zone", "local", "expected"),
    [
        pytest.param("UTC", "2026-11-23 08:33:54,012", "2026-11-23T08:33:54.012Z", id="Ray's own"),
        pytest.param("Z", "2026-11-23 08:33:54", "2026-11-23T08:33:54.000Z", id="no fraction"),
        pytest.param("UTC", "2026-11-23T08:33:54.5", "2026-11-23T08:33:54.500Z", id="T, point, one digit"),
        pytest.param("UTC", "2026-11-23 08:33:54.123456", "2026-11-23T08:33:54.123Z", id="microseconds"),
        pytest.param("+05:30", "2026-11-23 08:33:54,012", "2026-11-23T03:03:54.012Z", id="offset east"),
        pytest.param("-0500", "2026-11-23 20:33:54,012", "2026-11-24T01:33:54.012Z", id="offset west without colon"),
        pytest.param("UTC+1:00", "2026-11-23 08:33:54,012", "2026-11-23T07:33:54.012Z", id="offset after UTC"),
        pytest.param("Asia/Kolkata", "2026-11-23 08:33:54,012", "2026-11-23T03:03:54.012Z", id="name"),
        pytest.param("America/New_York", "2026-07-01 08:00:00,000", "2026-07-01T12:00:00.000Z", id="summer time"),
        pytest.param("America/New_York", "2026-12-01 08:00:00,000", "2026-12-01T13:00:00.000Z", id="winter time"),
        pytest.param("UTC", "2026-13-23 08:33:54,012", None, id="no such month"),
        pytest.param("UTC", "2026-11-23 25:33:54,012", None, id="no such hour"),
        pytest.param("UTC", "2026-11-23 08:33:60,012", None, id="a leap second is no time here"),
        pytest.param("UTC", "2026-11-23 08:33:5x,012", None, id="letters for seconds"),
        pytest.param("UTC", "2026-11-23 08:33:54,0x2", None, id="letters for milliseconds"),
        pytest.param("UTC", "2026-11-23 08:33:5", None, id="one digit for seconds"),
        pytest.param("UTC", "2026-11-23 08:33:²²,012", None, id="digits that are no number"),
        pytest.param("UTC", "2026-11-23 08:33:٣٤,012", None, id="digits that no date field reads"),
        pytest.param("UTC", "2026-11-23 08:33:54,²²²", None, id="milliseconds that are no number"),
        pytest.param("UTC", "1969-12-31 23:59:59,999", None, id="before 1970"),
        pytest.param("UTC", "2300-01-01 00:00:00,000", None, id="after what date_nanos holds"),
        pytest.param("+14:00", "0001-01-01 00:00:00,000", None, id="before the calendar"),
        pytest.param("UTC", "", None, id="nothing"),
    ],
)
def test_local(zone: str, local: str, expected: str | None) -> None:
    moment = _clock.Clock(zone).local(local)
    assert (moment and moment.text) == expected


def test_local_knows_the_nanoseconds_that_are_written() -> None:
    assert UTC.local("2026-11-23 08:33:54.012345") == ("2026-11-23T08:33:54.012Z", 1795422834012, 1795422834012345000)
    assert UTC.local("2026-11-23 08:33:54.012") == ("2026-11-23T08:33:54.012Z", 1795422834012, None)


def test_local_forgets_minutes_when_it_knows_too_many() -> None:
    clock = _clock.Clock("UTC")
    for minute in range(5000):
        day, rest = divmod(minute, 1440)
        text = f"2026-11-{day + 1:02} {rest // 60:02}:{rest % 60:02}"
        moment = clock.local(f"{text}:01,000")
        assert moment
        assert moment.text == f"{text.replace(' ', 'T')}:01.000Z"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param(1795422834, "2026-11-23T08:33:54.000Z", id="seconds"),
        pytest.param(1795422834.25, "2026-11-23T08:33:54.250Z", id="seconds with a fraction"),
        pytest.param(1795422834012, "2026-11-23T08:33:54.012Z", id="milliseconds"),
        pytest.param(1795422834012345, "2026-11-23T08:33:54.012Z", id="microseconds"),
        pytest.param(NANOSECOND, "2026-11-23T08:33:54.012Z", id="nanoseconds"),
        pytest.param(12345, None, id="too small for a time"),
        pytest.param(-1795422834, None, id="negative"),
        pytest.param(10**30, None, id="huge"),
        pytest.param(9_999_999_999_999_999_999, None, id="more nanoseconds than a field holds"),
        pytest.param(float("nan"), None, id="NaN"),
        pytest.param(float("inf"), None, id="infinity"),
        pytest.param(True, None, id="a truth value"),
        pytest.param(None, None, id="null"),
        pytest.param("2026-11-23T08:33:54.012Z", "2026-11-23T08:33:54.012Z", id="ISO with Z"),
        pytest.param("2026-11-23T08:33:54.012345678901Z", "2026-11-23T08:33:54.012Z", id="ISO with picoseconds"),
        pytest.param("2026-11-23 08:33:54 UTC", "2026-11-23T08:33:54.000Z", id="ISO with UTC"),
        pytest.param("2026-11-23T08:33:54+05:30", "2026-11-23T03:03:54.000Z", id="ISO with an offset"),
        pytest.param("2026-11-23T08:33:54+99:99", None, id="ISO with an offset of more than a day"),
        pytest.param("2026-11-23T08:33:54,5", "2026-11-23T08:33:54.500Z", id="ISO without a zone is local"),
        pytest.param(
            "2026-11-23T08:33:54+\u0660\u0665:\u0663\u0660", "2026-11-23T08:33:54.000Z", id="digits that no offset has"
        ),
        pytest.param("23/Nov/2026", None, id="another notation"),
        pytest.param(["2026-11-23T08:33:54Z"], None, id="a list"),
    ],
)
def test_read(value: t.Any, expected: str | None) -> None:
    moment = UTC.read(value)
    assert (moment and moment.text) == expected


@pytest.mark.parametrize(
    ("ns", "expected"),
    [
        pytest.param(NANOSECOND, "2026-11-23T08:33:54.012345678Z", id="to the nanosecond"),
        pytest.param(0, None, id="zero is no time"),
        pytest.param(2**63, None, id="does not fit 64 bits"),
    ],
)
def test_nanoseconds(ns: int, expected: str | None) -> None:
    moment = _clock.from_ns(ns)
    assert (moment and _clock.nanos_text(moment)) == expected


def test_nanoseconds_are_not_invented() -> None:
    assert _clock.nanos_text(_clock.from_ms(1795422834012)) is None
    seconds = _clock.from_number(1795422834)
    assert seconds
    assert seconds.ns is None


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "../etc/passwd", "+5", "Europe", "+24:00", "-99:99"])
def test_unknown_zone(zone: str) -> None:
    with pytest.raises(_clock.ClockError, match=r"Time zone .* is not known here: .* Give a name of the tz database"):
        _clock.Clock(zone)


@pytest.mark.parametrize(
    ("minutes", "name"),
    [
        pytest.param(0, "UTC", id="none"),
        pytest.param(330, "+05:30", id="east"),
        pytest.param(-300, "-05:00", id="west"),
    ],
)
def test_offset_name(minutes: int, name: str) -> None:
    assert _clock.offset_name(minutes) == name
    assert _clock.Clock(name).zone == name
