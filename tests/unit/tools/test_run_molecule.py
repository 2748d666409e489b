# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of what is read from Molecule."""

from __future__ import annotations

import pytest
from run_molecule import Steps, read_output

PASSED = """\
INFO     [plain > syntax] Executing
INFO     [plain > syntax] Executed: Successful
INFO     [plain > converge] Executed: \x1b[32mSuccessful\x1b[0m
"""
FAILED = """\
INFO     [plain > syntax] Executed: Successful
ERROR    [plain > verify] \x1b[31mExecuted: Failed\x1b[0m
WARNING  [plain > cleanup] Executed: Missing playbook (Remove from test_sequence to suppress)
"""
MISSING = """\
INFO     [plain > syntax] Executed: Successful
WARNING  [plain > create] Executed: Missing playbook (Remove from test_sequence to suppress)
INFO     [plain > prepare] Executed: Skipped (Skipping, instances already created.)
"""


@pytest.mark.parametrize(
    ("output", "code", "expected"),
    [
        pytest.param(PASSED, 0, Steps(["plain syntax", "plain converge"], []), id="all pass"),
        pytest.param(FAILED, 1, Steps(["plain syntax"], ["plain verify: Failed"]), id="a step fails"),
        pytest.param(
            MISSING,
            0,
            Steps(
                ["plain syntax"],
                [
                    "plain create: Missing playbook (Remove from test_sequence to suppress)",
                    "plain prepare: Skipped (Skipping, instances already created.)",
                ],
            ),
            id="what was not carried out has failed",
        ),
        pytest.param(
            PASSED,
            1,
            Steps(["plain syntax", "plain converge"], ["plain molecule: ended with 1 after 2 steps"]),
            id="an end without a failed step has failed",
        ),
        pytest.param("", 0, Steps([], ["plain molecule: ended with 0 after 0 steps"]), id="nothing ran"),
    ],
)
def test_read_output(output: str, code: int, expected: Steps) -> None:
    assert read_output("plain", output, code) == expected
