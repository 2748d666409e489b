# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Three real nodes of the role elasticsearch on this machine: they form one cluster and are restarted one by one."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import typing as t
from pathlib import Path

import pytest
import requests
import yaml

from tools.fetch_elasticsearch import fetch

ROOT = Path(__file__).parents[2]
VERSION = "8.19.0"
NAMES = ("es1", "es2", "es3")
ENVIRONMENT = {
    **os.environ,
    "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".cache/collections"),
    "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
    "LC_ALL": "C.UTF-8",
}
PLAY = """
- name: Run the role
  hosts: elasticsearch
  gather_facts: false
  roles:
    - role: raylogs.efk.elasticsearch
"""


class Cluster:
    """Three folders that stand for three hosts."""

    def __init__(self, folder: Path) -> None:
        """Write the inventory."""
        self.folder = folder
        self.ports = dict(zip(NAMES, free_ports(len(NAMES))))
        transport = dict(zip(NAMES, free_ports(len(NAMES))))
        archive = fetch(VERSION)
        variables = {
            "ansible_connection": "local",
            "ansible_python_interpreter": sys.executable,
            "elasticsearch_archive_path": str(archive),
            "elasticsearch_archive_checksum": "sha512:" + hashlib.sha512(archive.read_bytes()).hexdigest(),
            "elasticsearch_heap_size": "256m",
            "elasticsearch_service_timeout": 400,
            "elasticsearch_service_manager": "daemon",
            "elasticsearch_user": "nobody",
            "elasticsearch_group": "nogroup",
            "elasticsearch_cluster_name": "three",
            "elasticsearch_cache_dir": str(folder / "cache"),
            "elasticsearch_install_dir": str(folder / "program"),
            "elasticsearch_config_extra": {"cluster.routing.allocation.disk.threshold_enabled": False},
            **{
                f"elasticsearch_{name}_dir": f"{folder}/{{{{ inventory_hostname }}}}/{name}"
                for name in ("config", "data", "log", "pid")
            },
        }
        hosts = {
            name: {"elasticsearch_http_port": self.ports[name], "elasticsearch_transport_port": transport[name]}
            for name in NAMES
        }
        self.seeds = [f"127.0.0.1:{transport[name]}" for name in NAMES]
        inventory = {"elasticsearch": {"hosts": hosts, "vars": variables}}
        (folder / "hosts.json").write_text(json.dumps(inventory))
        (folder / "play.yml").write_text(PLAY)
        for name in NAMES:
            (folder / name).mkdir(mode=0o755)

    def command_line(self, **variables: t.Any) -> list[str]:
        """Return the command that runs the role on all nodes."""
        command = [sys.executable, "-m", "ansible.cli.playbook", "--inventory", str(self.folder / "hosts.json")]
        return [*command, "--extra-vars", json.dumps(variables), str(self.folder / "play.yml")]

    def run(self, **variables: t.Any) -> tuple[int, str, int]:
        """Run the role on all nodes; return the exit code, what it said and how many tasks changed something."""
        answer = subprocess.run(
            self.command_line(**variables),
            cwd=self.folder,
            env=ENVIRONMENT,
            check=False,
            capture_output=True,
            text=True,
        )
        output = answer.stdout + answer.stderr
        return answer.returncode, output, sum(map(int, re.findall(r"changed=(\d+)", output)))

    def converge(self, **variables: t.Any) -> int:
        """Run the role, demand that it succeeds, and return how many tasks changed something."""
        code, output, changed = self.run(**variables)
        assert code == 0, output
        return changed

    def pids(self) -> dict[str, int]:
        """Read the process ids of the nodes."""
        return {name: int((self.folder / name / "pid/elasticsearch.pid").read_text()) for name in NAMES}

    @property
    def secrets(self) -> Path:
        """Name the folder of the secrets on the control node."""
        return self.folder / ".secrets/three"

    def health(self, name: str) -> tuple[str, int]:
        """Ask a node how the cluster is."""
        answer = requests.get(
            f"https://127.0.0.1:{self.ports[name]}/_cluster/health",
            auth=("elastic", (self.secrets / "passwords/elastic").read_text().strip()),
            verify=str(self.secrets / "ca.crt"),
            timeout=20,
        ).json()
        return answer["status"], answer["number_of_nodes"]

    def settings(self, name: str) -> dict[str, t.Any]:
        """Read the configuration of a node."""
        return dict(yaml.safe_load((self.folder / name / "config/elasticsearch.yml").read_text()))

    def moments(self, name: str, words: str) -> list[str]:
        """Return when the log of a node says something."""
        log = (self.folder / name / "log/three.log").read_text()
        return re.findall(rf"^\[([^\]]+)\].*\] {re.escape(words)}", log, re.MULTILINE)

    def end(self) -> None:
        """Stop what runs."""
        for pid_file in self.folder.glob("*/pid/elasticsearch.pid"):
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid_file.read_text()), signal.SIGKILL)


def free_ports(count: int) -> list[int]:
    """Find ports on which nobody listens."""
    with contextlib.ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _number in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]


@pytest.fixture
def cluster() -> t.Iterator[Cluster]:
    """Give three virgin hosts."""
    folder = Path(tempfile.mkdtemp(prefix="raylogs-cluster-", dir="/var/tmp"))
    folder.chmod(0o755)
    three = Cluster(folder)
    try:
        yield three
    finally:
        three.end()
        shutil.rmtree(folder, ignore_errors=True)


def check_formed(cluster: Cluster) -> None:
    """Demand one cluster of three, whose nodes know each other and no longer know how it was founded."""
    for name in NAMES:
        assert cluster.health(name) == ("green", len(NAMES))
        assert cluster.settings(name)["discovery.seed_hosts"] == cluster.seeds
        assert "cluster.initial_master_nodes" not in cluster.settings(name)


def check_rolling(cluster: Cluster) -> None:
    """Demand that a changed setting restarts each node once, and none before the one before is back."""
    before = cluster.pids()
    cluster.converge(elasticsearch_config={"action.destructive_requires_name": True})
    after = cluster.pids()
    assert [name for name in NAMES if before[name] == after[name]] == []
    assert [len(cluster.moments(name, "started {")) for name in NAMES] == [2, 2, 3], "one had begun anew"
    turns = sorted(
        (cluster.moments(name, "stopping ...")[-1], cluster.moments(name, "started {")[-1]) for name in NAMES
    )
    assert [(earlier, later) for earlier, later in zip(turns, turns[1:]) if earlier[1] > later[0]] == []
    check_formed(cluster)


def check_refused_setting(cluster: Cluster) -> None:
    """Demand that a setting that the server refuses ends one node at most, and that the next run mends it."""
    before = cluster.pids()
    code, output, _changed = cluster.run(elasticsearch_config={"no.such.setting": 1})
    said = " ".join(output.split())
    assert code != 0
    assert "does not know the setting no.such.setting. Correct its name in elasticsearch_config" in said, output
    alive = [name for name in NAMES if Path(f"/proc/{before[name]}").exists()]
    assert len(alive) == len(NAMES) - 1
    assert cluster.health(alive[0])[1] == len(alive)
    cluster.converge(elasticsearch_config={"action.destructive_requires_name": True})
    after = cluster.pids()
    assert [name for name in NAMES if before[name] == after[name]] == alive, "those that never read it go on"
    check_formed(cluster)


def check_secured(cluster: Cluster) -> None:
    """Demand that each node has a key of its own, that all have one CA, and that its key is on none of them."""
    certs = [cluster.folder / name / "config/certs" for name in NAMES]
    assert len({(folder / "node.key").read_bytes() for folder in certs}) == len(NAMES)
    assert {(folder / "ca.crt").read_bytes() for folder in certs} == {(cluster.secrets / "ca.crt").read_bytes()}
    assert not [path for name in NAMES for path in (cluster.folder / name).rglob("ca.key")]
    for name in NAMES:
        settings = cluster.settings(name)
        assert settings["xpack.security.transport.ssl.verification_mode"] == "full"
        assert settings["xpack.security.transport.ssl.enabled"] is True


def check_no_change_node_by_node(cluster: Cluster) -> None:
    """Demand that TLS is not taken from a running cluster, whose nodes would lose each other."""
    before = cluster.pids()
    code, output, changed = cluster.run(elasticsearch_insecure_without_tls_and_users=True)
    said = " ".join(output.split())
    assert (code, changed) == (2, 0), output
    assert "Cannot switch TLS off between the nodes of the running cluster three one by one" in said, output
    assert "Stop all nodes with elasticsearch_service_state set to stopped, and run again without it" in said, output
    assert cluster.pids() == before


def check_lost_stop(cluster: Cluster) -> None:
    """Demand the same where a run that was to stop all nodes was killed after it wrote their settings."""
    without = {"elasticsearch_insecure_without_tls_and_users": True, "elasticsearch_service_state": "stopped"}
    command = cluster.command_line(**without)
    with subprocess.Popen(
        command, cwd=cluster.folder, env=ENVIRONMENT, stdout=subprocess.DEVNULL, start_new_session=True
    ) as run:
        while any(cluster.settings(name)["xpack.security.enabled"] for name in NAMES):
            assert run.poll() is None
            time.sleep(0.05)
        os.killpg(run.pid, signal.SIGKILL)
    check_no_change_node_by_node(cluster)
    before = cluster.pids()
    cluster.converge()
    assert cluster.pids() == before
    check_secured(cluster)
    check_formed(cluster)


def check_lost_member(cluster: Cluster) -> None:
    """Demand that a node that begins anew gets a certificate and the password, and joins."""
    os.kill(cluster.pids()["es3"], signal.SIGKILL)
    for name in ("config", "data"):
        shutil.rmtree(cluster.folder / "es3" / name)
    before = {path: path.read_bytes() for path in cluster.secrets.rglob("*") if path.is_file()}
    pids = cluster.pids()
    cluster.converge()
    assert {path: path.read_bytes() for path in before} == before
    assert {name: cluster.pids()[name] for name in ("es1", "es2")} == {name: pids[name] for name in ("es1", "es2")}
    check_formed(cluster)
    check_secured(cluster)


def test_three_nodes_form_a_cluster_and_are_restarted_one_by_one(cluster: Cluster) -> None:
    cluster.converge()
    check_formed(cluster)
    check_secured(cluster)
    pids = cluster.pids()
    assert cluster.converge() == 0
    assert cluster.pids() == pids
    check_no_change_node_by_node(cluster)
    check_lost_stop(cluster)
    check_lost_member(cluster)
    check_rolling(cluster)
    check_refused_setting(cluster)
