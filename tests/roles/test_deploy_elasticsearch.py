# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook deploy_elasticsearch on this host, with a reduced archive: what it says about what it cannot do."""

from __future__ import annotations

import json
import typing as t

import pytest

if t.TYPE_CHECKING:
    from tests.role_host import Host

WITHOUT_SERVER = "so nobody can be told what the logs need, and who may write and read them."
STOPPED = {"elasticsearch_service_state": "stopped"}


@pytest.fixture
def deployed(host: Host) -> Host:
    """Give a virgin host on which the playbook is run."""
    inventory = host.folder / "hosts.json"
    inventory.write_text(json.dumps({"elasticsearch": {"hosts": {"localhost": None}}}))
    host.inventory = str(inventory)
    host.variables["ansible_become"] = False
    (host.folder / "play.yml").write_text("- import_playbook: raylogs.efk.deploy_elasticsearch\n")
    return host


def test_a_reduced_distribution_is_told_how_to_leave_the_users_out(deployed: Host) -> None:
    foretold = deployed.converge("--check").output
    assert "Whether the server that this run would start can hold users, roles and API keys shows" in foretold
    stopped = deployed.converge(**STOPPED)
    assert f"elasticsearch_service_state is stopped, {WITHOUT_SERVER}" in stopped.output
    assert not deployed.pid_file.exists()
    deployed.refuse(
        "is a reduced distribution, which can hold neither users nor roles nor API keys.",
        "leave this role out: --skip-tags ray_log_access",
    )
    assert deployed.converge("--skip-tags", "ray_log_access").changed == 0
    templates = deployed.request("GET", "/_index_template/ray-logs-*").json()["index_templates"]
    assert templates, "what the logs need is declared all the same"
    removed = deployed.converge("--tags", "elasticsearch", elasticsearch_state="absent")
    assert f"Elasticsearch is removed, {WITHOUT_SERVER}" in removed.output
