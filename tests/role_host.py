# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A folder that stands for a host, on which roles run for real."""

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
import typing as t
from pathlib import Path

import requests

from tools.fetch_elasticsearch import fetch

ROOT = Path(__file__).parents[1]
SERVER_USER, SERVER_GROUP = "nobody", "nogroup"
VERSION = "8.19.0"
OWN_COMMAND = (sys.executable, "-m", "ansible.cli.playbook")
OWN_ENVIRONMENT = {
    "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".cache/collections"),
    "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
    "LC_ALL": "C.UTF-8",
}
INSECURE = {"elasticsearch_insecure_without_tls_and_users": True}
PLAY = """
- name: Run the role
  hosts: all
  gather_facts: false
  tasks:
    - name: Run the role
      ansible.builtin.import_role:
        name: raylogs.efk.elasticsearch
        tasks_from: "{{ entry_point | default('main') }}"
    - name: Say what later plays know
      ansible.builtin.debug:
        msg: URL {{ elasticsearch_url }}, CA {{ elasticsearch_ca_path }}, password {{ elasticsearch_password_path }}.
      when: elasticsearch_url is defined
"""


class Run(t.NamedTuple):
    """What a run of the role said."""

    output: str
    changed: int
    failed: int


class Host:
    """A folder that stands for a host: the role installs into it, and what it starts is stopped by its process id."""

    def __init__(self, folder: Path, command: t.Sequence[str], environment: t.Mapping[str, str]) -> None:
        """Prepare the variables of the role."""
        self.folder = folder
        self.command = command
        self.environment = environment
        self.inventory = "localhost,"
        self.port = free_port()
        (folder / "play.yml").write_text(PLAY)
        self.variables: dict[str, t.Any] = {
            "ansible_python_interpreter": command[-3],
            **archive_of(VERSION),
            "elasticsearch_heap_size": "512m",
            "elasticsearch_service_manager": "daemon",
            "elasticsearch_http_port": self.port,
            "elasticsearch_user": SERVER_USER,
            "elasticsearch_group": SERVER_GROUP,
            "elasticsearch_install_dir": str(folder / "host"),
            "raylogs_secrets_dir": str(folder / "secrets"),
            "elasticsearch_config_extra": {"cluster.routing.allocation.disk.threshold_enabled": False},
            **{
                f"elasticsearch_{name}_dir": str(folder / "host" / name)
                for name in ("cache", "config", "data", "log", "pid")
            },
        }

    @property
    def pid_file(self) -> Path:
        """Name the pid file of the server."""
        return self.folder / "host" / "pid" / "elasticsearch.pid"

    @property
    def pid(self) -> int:
        """Read the process id of the server."""
        return int(self.pid_file.read_text())

    @property
    def certs(self) -> Path:
        """Name the folder of the certificates on the host."""
        return self.folder / "host/config/certs"

    @property
    def secrets(self) -> Path:
        """Name the folder of the secrets on the control node."""
        return self.folder / "secrets/raylogs"

    @property
    def password(self) -> str:
        """Read the password of elastic."""
        return (self.secrets / "passwords/elastic").read_text().strip()

    def command_line(self, *arguments: str, **variables: t.Any) -> list[str]:
        """Return the command that runs the role with these variables."""
        values = self.folder / "variables.json"
        values.write_text(json.dumps({**self.variables, **variables}))
        playbook = ["--connection", "local", "--extra-vars", f"@{values}", *arguments, str(self.folder / "play.yml")]
        return [*self.command, "--inventory", self.inventory, *playbook]

    def run(self, *arguments: str, **variables: t.Any) -> Run:
        """Run the role with these variables."""
        answer = subprocess.run(
            self.command_line(*arguments, **variables),
            cwd=self.folder,
            env={**os.environ, **self.environment},
            check=False,
            capture_output=True,
            text=True,
        )
        output = answer.stdout + answer.stderr
        recap = re.search(r"\w+: ok=\d+ changed=(\d+) unreachable=0 failed=(\d+)", output)
        assert recap, output
        return Run(output, int(recap[1]), int(recap[2]))

    def converge(self, *arguments: str, **variables: t.Any) -> Run:
        """Run the role and demand that it succeeds."""
        run = self.run(*arguments, **variables)
        assert run.failed == 0, run.output
        return run

    def refuse(self, *words: str, **variables: t.Any) -> None:
        """Run the role and demand that it fails with these words, on as many lines as it likes."""
        run = self.run(**variables)
        said = " ".join(run.output.split())
        assert run.failed == 1, run.output
        assert [word for word in words if word not in said] == [], run.output

    def request(self, method: str, path: str, **options: t.Any) -> requests.Response:
        """Ask the server, by the user elastic and over verified TLS where it has that."""
        secured: dict[str, t.Any] = {}
        if self.certs.exists():
            secured = {"verify": str(self.secrets / "ca.crt"), "auth": ("elastic", self.password)}
        address = f"{'https' if secured else 'http'}://127.0.0.1:{self.port}{path}"
        return requests.request(method, address, timeout=20, **{**secured, **options})

    def health(self) -> str:
        """Ask the server how it is."""
        return str(self.request("GET", "/_cluster/health").json()["status"])

    def starts(self) -> int:
        """Count how often the server started."""
        log = (self.folder / "host" / "log" / "raylogs.log").read_text()
        return len(re.findall(r"\] started(?: \{|$)", log, re.MULTILINE))

    def end(self) -> None:
        """Stop what runs."""
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)


def archive_of(version: str) -> dict[str, str]:
    """Return the variables that install a version from a local archive."""
    archive = fetch(version)
    return {
        "elasticsearch_version": version,
        "elasticsearch_archive_path": str(archive),
        "elasticsearch_archive_checksum": "sha512:" + digest(archive),
    }


def digest(path: Path) -> str:
    """Compute the SHA-512 of a file."""
    return hashlib.sha512(path.read_bytes()).hexdigest()


def free_port() -> int:
    """Find a port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def host_of(command: t.Sequence[str], environment: t.Mapping[str, str], owner: str | None = None) -> t.Iterator[Host]:
    """Make a host in a folder that every user can enter, and remove it."""
    folder = Path(tempfile.mkdtemp(prefix="raylogs-role-", dir="/var/tmp"))
    folder.chmod(0o755)
    host = Host(folder, command, environment)
    if owner:
        shutil.chown(folder, owner)
    try:
        yield host
    finally:
        host.end()
        shutil.rmtree(folder, ignore_errors=True)
