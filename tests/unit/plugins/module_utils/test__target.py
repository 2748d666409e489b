# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The names of streams, and the version of the collection."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from ansible_collections.raylogs.efk.plugins.module_utils import _target
from ansible_collections.raylogs.efk.plugins.module_utils._api import OptionError
from ansible_collections.raylogs.efk.plugins.module_utils._version import VERSION

ROOT = Path(__file__).resolve().parents[4]


@pytest.mark.parametrize("prefix", ["", "-ray", "ray-", "Ray", "ray--logs", "ray logs", "ray*", "r" * 65, "räy"])
def test_a_prefix_that_no_stream_can_have_is_refused(prefix: str) -> None:
    with pytest.raises(OptionError, match="cannot begin the name of a stream"):
        _target.check_names(prefix, "default")


@pytest.mark.parametrize("tenant", ["", "team-a", "Team", "a b", "*", "t" * 65])
def test_a_tenant_that_no_stream_can_have_is_refused(tenant: str) -> None:
    with pytest.raises(OptionError, match="cannot be part of the name of a stream"):
        _target.check_names("ray-logs", tenant)


def test_names_by_layout() -> None:
    _target.check_names("ray-logs", "team_a")
    stream = _target.Target("ray-logs", "team_a", _target.DATA_STREAM)
    assert stream.names == "ray-logs-app-team_a,ray-logs-event-team_a,ray-logs-system-team_a"
    assert stream.action("app", "2026-11-23") == b'{"create":{"_index":"ray-logs-app-team_a","_id":"'
    daily = stream._replace(layout=_target.DAILY)
    assert daily.names == "ray-logs-app-team_a-*,ray-logs-event-team_a-*,ray-logs-system-team_a-*"
    assert daily.action("app", "2026-11-23") == b'{"create":{"_index":"ray-logs-app-team_a-2026.11.23","_id":"'


def test_the_version_is_that_of_the_collection() -> None:
    assert yaml.safe_load((ROOT / "galaxy.yml").read_text())["version"] == VERSION
