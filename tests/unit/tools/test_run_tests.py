# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the sum that closes a run of all tests."""

from __future__ import annotations

import pytest

from tools.run_tests import Count, add, count_checks, count_junit


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        pytest.param('tests="5" failures="0" errors="0" skipped="0"', Count(5, 0, 0), id="all pass"),
        pytest.param('tests="5" failures="1" errors="2" skipped="1"', Count(1, 3, 1), id="an error is a failure"),
        pytest.param('tests="0" failures="0" errors="0" skipped="0"', Count(0, 0, 0), id="nothing ran"),
    ],
)
def test_count_junit(attributes: str, expected: Count) -> None:
    assert count_junit(f"<testsuites><testsuite {attributes}/></testsuites>") == expected


def test_count_checks() -> None:
    assert count_checks('{"passed": ["ruff", "mypy"], "failed": ["codespell"]}') == Count(2, 1)


def test_sum_speaks_like_pytest() -> None:
    assert str(add([Count(2, 1), Count(40, 0)])) == "42 passed, 1 failed"
    assert str(add([Count(2, 0), Count(1, 0, 3)])) == "3 passed, 0 failed, 3 skipped"
