# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of what is read from ansible-test."""

from __future__ import annotations

from tools.run_sanity import Report, pinned_cores, read_output

PASSED = """\
Running sanity test "compile" on Python 3.9
Running sanity test "compile" on Python 3.13
Running sanity test "pep8"
Running sanity test "shellcheck"
WARNING: Required program "shellcheck" not found.
"""
FAILED = """\
Running sanity test "compile" on Python 3.9
ERROR: plugins/modules/x.py:1:1: SyntaxError
Running sanity test "compile" on Python 3.13
Running sanity test "pep8"
FATAL: The 1 sanity test(s) listed below (out of 3) failed. See error output above for details.
compile --python 3.9
"""


def test_passed() -> None:
    names = ["2.19.1 compile --python 3.9", "2.19.1 compile --python 3.13", "2.19.1 pep8"]
    assert read_output("2.19.1", PASSED) == Report(names, [], ["2.19.1 shellcheck"])


def test_failed() -> None:
    assert read_output("2.21.0", FAILED) == Report(
        ["2.21.0 compile --python 3.13", "2.21.0 pep8"],
        ["2.21.0 compile --python 3.9"],
        [],
    )


def test_crash_has_no_result() -> None:
    assert read_output("2.21.0", "Traceback (most recent call last):\n") == Report([], [], [])


def test_cores_are_sorted_as_numbers() -> None:
    assert pinned_cores("ansible-core==2.21.5 ; x\nansible==14.5.0\nansible-core==2.9.27 ; y\n") == ["2.9.27", "2.21.5"]
