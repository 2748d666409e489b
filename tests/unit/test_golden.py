# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each kind of file: lines that Ray wrote, and the events that they become."""

from __future__ import annotations

import json
import typing as t

import pytest

from tests import corpus, golden_files

if t.TYPE_CHECKING:
    from pathlib import Path

# Kinds of which the corpus holds no line.
WITHOUT_LINES = {
    *("io_worker", "java_worker", "core_restore_worker", "core_java_worker", "raylet_err", "dashboard_output"),
    *("dashboard_module_output", "agent_output", "log_monitor_output", "monitor_output", "ray_client_server_port"),
    *("serve_other", "events_core_worker", "other"),
}


@pytest.mark.parametrize("case", golden_files.cases(), ids=lambda case: f"{case.parent.name} {case.stem}")
def test_lines_become_the_expected_events(case: Path, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    items = golden_files.parse_case(case, tmp_path)
    expected = golden_files.expected_path(case)
    if request.config.getoption("--update-golden"):
        expected.write_text(golden_files.render(items), encoding="utf-8")
    assert items == json.loads(expected.read_text(encoding="utf-8"))


def test_every_kind_that_is_a_log_has_a_case() -> None:
    logs = {kind.id for kind in corpus.CATALOGUE.kinds if kind.framing != corpus.NEVER_A_LOG}
    assert {case.parent.name for case in golden_files.cases()} == logs - WITHOUT_LINES


def test_no_expectation_without_its_lines() -> None:
    expected = {golden_files.expected_path(case) for case in golden_files.cases()}
    assert set(golden_files.GOLDEN.glob("*/*.expected.json")) == expected
