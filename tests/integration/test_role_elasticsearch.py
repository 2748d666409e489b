# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role elasticsearch on this host: real runs of ansible-playbook, real servers, as root and as an ordinary user."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import http.server
import importlib.util
import io
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tarfile
import tempfile
import threading
import typing as t
import zipfile
from pathlib import Path

import pytest
import requests

from tools.fetch_elasticsearch import fetch

ROOT = Path(__file__).parents[2]
IS_ROOT = os.geteuid() == 0
SERVER_USER, SERVER_GROUP = "nobody", "nogroup"
VERSION = "8.19.0"
PLAY = """
- name: Run the role
  hosts: localhost
  gather_facts: false
  tasks:
    - name: Run the role
      ansible.builtin.import_role:
        name: raylogs.efk.elasticsearch
        tasks_from: "{{ entry_point | default('main') }}"
"""
LIBRARIES = ("ansible", "jinja2", "markupsafe", "packaging", "yaml")


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
        self.port = free_port()
        (folder / "play.yml").write_text(PLAY)
        archive = fetch(VERSION)
        self.variables: dict[str, t.Any] = {
            "ansible_python_interpreter": command[-3],
            "elasticsearch_archive_path": str(archive),
            "elasticsearch_archive_checksum": "sha512:" + digest(archive),
            "elasticsearch_heap_size": "512m",
            "elasticsearch_service_manager": "daemon",
            "elasticsearch_http_port": self.port,
            "elasticsearch_user": SERVER_USER,
            "elasticsearch_group": SERVER_GROUP,
            "elasticsearch_install_dir": str(folder / "host"),
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

    def run(self, *arguments: str, **variables: t.Any) -> Run:
        """Run the role with these variables."""
        values = self.folder / "variables.json"
        values.write_text(json.dumps({**self.variables, **variables}))
        playbook = ["--connection", "local", "--extra-vars", f"@{values}", *arguments, str(self.folder / "play.yml")]
        answer = subprocess.run(
            [*self.command, "--inventory", "localhost,", *playbook],
            cwd=self.folder,
            env={**os.environ, **self.environment},
            check=False,
            capture_output=True,
            text=True,
        )
        output = answer.stdout + answer.stderr
        recap = re.search(r"localhost: ok=\d+ changed=(\d+) unreachable=0 failed=(\d+)", output)
        assert recap, output
        return Run(output, int(recap[1]), int(recap[2]))

    def converge(self, **variables: t.Any) -> Run:
        """Run the role and demand that it succeeds."""
        run = self.run(**variables)
        assert run.failed == 0, run.output
        return run

    def refuse(self, *words: str, **variables: t.Any) -> None:
        """Run the role and demand that it fails with these words, on as many lines as it likes."""
        run = self.run(**variables)
        said = " ".join(run.output.split())
        assert run.failed == 1, run.output
        assert [word for word in words if word not in said] == [], run.output

    def health(self) -> str:
        """Ask the server how it is."""
        answer = requests.get(f"http://127.0.0.1:{self.port}/_cluster/health", timeout=10)
        return str(answer.json()["status"])

    def starts(self) -> int:
        """Count how often the server started."""
        return (self.folder / "host" / "log" / "raylogs.log").read_text().count("] started {")

    def end(self) -> None:
        """Stop what runs."""
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)


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


OWN_COMMAND = (sys.executable, "-m", "ansible.cli.playbook")
OWN_ENVIRONMENT = {
    "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".cache/collections"),
    "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
    "LC_ALL": "C.UTF-8",
}


@pytest.fixture
def host() -> t.Iterator[Host]:
    """Give a virgin host."""
    with host_of(OWN_COMMAND, OWN_ENVIRONMENT) as virgin:
        yield virgin


def test_check_mode_on_a_virgin_host_changes_nothing(host: Host) -> None:
    run = host.run("--check")
    assert (run.failed, run.changed > 0) == (0, True), run.output
    assert not (host.folder / "host").exists()


def check_loopback(host: Host) -> None:
    """Demand that the server listens on the loopback address and nowhere else."""
    listeners = Path("/proc/net/tcp").read_text() + Path("/proc/net/tcp6").read_text()
    addresses = re.findall(rf" ([0-9A-F]+):{host.port:04X} [0-9A-F]+:0000 0A", listeners)
    assert addresses
    assert set(addresses) <= {"0100007F", "0000000000000000FFFF00000100007F"}


def check_again(host: Host) -> None:
    """Demand that a second run changes nothing."""
    pid = host.pid
    assert host.converge().changed == 0
    assert host.pid == pid


def check_changed_setting(host: Host) -> None:
    """Demand that a changed setting restarts the server once."""
    pid, starts = host.pid, host.starts()
    host.converge(elasticsearch_config={"action.destructive_requires_name": True})
    assert host.pid != pid
    assert host.starts() == starts + 1


def check_taken_port(host: Host) -> None:
    """Demand that a running server is left alone when it is to go where another program listens."""
    pid = host.pid
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        host.refuse(f"Cannot start Elasticsearch on port {port}", "already listens", elasticsearch_http_port=port)
    assert host.pid == pid
    assert host.health() == "green"


def check_killed(host: Host) -> None:
    """Demand that a server that was killed is started again."""
    pid = host.pid
    os.kill(pid, signal.SIGKILL)
    run = host.converge()
    assert f"names process {pid}, which is gone" in " ".join(run.output.split())
    assert host.pid != pid
    assert host.health() == "green"


def check_other_program(host: Host) -> None:
    """Demand that a process that got the server's old id is left alone, and that stopping stops."""
    host.converge(entry_point="stop")
    assert not host.pid_file.exists()
    with subprocess.Popen(["/usr/bin/sleep", "600"]) as stranger:
        try:
            host.pid_file.write_text(str(stranger.pid))
            run = host.converge()
            assert "which is another program: /usr/bin/sleep 600" in " ".join(run.output.split())
            assert stranger.poll() is None
            assert host.pid != stranger.pid
        finally:
            stranger.kill()


def check_own_temp_folder(host: Host) -> None:
    """Demand that the server puts its temporary files where its data are, and leaves nothing in /tmp."""
    command = Path(f"/proc/{host.pid}/cmdline").read_text().split("\0")
    assert f"-Djava.io.tmpdir={host.folder}/host/data/tmp" in command


def check_refused_setting(host: Host) -> None:
    """Demand that a setting that the server refuses is named."""
    host.refuse(
        "Cannot start Elasticsearch", "unknown setting [no.such.setting]", elasticsearch_config={"no.such.setting": 1}
    )


def test_the_life_of_a_server(host: Host) -> None:
    assert host.converge().changed > 0
    assert host.health() == "green"
    check_loopback(host)
    check_own_temp_folder(host)
    check_again(host)
    check_changed_setting(host)
    check_taken_port(host)
    check_killed(host)
    check_other_program(host)
    check_refused_setting(host)


def test_a_taken_port_is_named_with_its_owner(host: Host) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", host.port))
        taken.listen()
        host.refuse(
            f"Cannot start Elasticsearch on port {host.port}",
            f"process {os.getpid()}",
            "on 127.0.0.1",
            "set elasticsearch_http_port to a free port",
        )
    assert not (host.folder / "host").exists()


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        pytest.param(
            {"elasticsearch_heap_size": "9000g"},
            ["with a heap of 9000g", "MiB are available", "set elasticsearch_heap_size to something smaller"],
            id="too little memory",
        ),
        pytest.param(
            {"elasticsearch_disk_free_min": "9000t"},
            ["MiB are free there", "set elasticsearch_data_dir to a folder on a larger disk"],
            id="too little disk",
        ),
        pytest.param(
            {"elasticsearch_http_port": 1023},
            ["on port 1023", "only the ports 1024 to 65535 are open", "set elasticsearch_http_port to a free port"],
            id="a port that only root may use",
        ),
        pytest.param({"elasticsearch_http_port": 70000}, ["on port 70000", "only the ports"], id="a port that is none"),
        pytest.param(
            {"elasticsearch_archive_checksum": ""},
            ["nothing says what it must be", "elasticsearch_archive_checksum_required to false"],
            id="an archive without a checksum",
        ),
    ],
)
def test_what_cannot_work_is_refused_before_anything_changes(
    host: Host, variables: dict[str, t.Any], words: list[str]
) -> None:
    host.refuse(*words, **variables)
    assert not (host.folder / "host").exists()


def test_a_damaged_archive_leaves_nothing_half_installed(host: Host) -> None:
    damaged = host.folder / "damaged.zip"
    damaged.write_bytes(fetch(VERSION).read_bytes()[: 1 << 20])
    host.refuse("is not what it should be", "Remove it (rm ", elasticsearch_archive_path=str(damaged))
    assert [path.name for path in (host.folder / "host").iterdir()] == ["cache"]


def test_missing_java_is_named_with_the_command_that_installs_it(host: Host) -> None:
    host.refuse(
        "needs version 17 or later of the host",
        "/nowhere/bin/java is not there",
        "Install",
        elasticsearch_java_home="/nowhere",
        elasticsearch_java_install=False,
    )


class Mirror(http.server.SimpleHTTPRequestHandler):
    """Serve a folder, silently."""

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


@contextlib.contextmanager
def mirror_of(folder: Path) -> t.Iterator[str]:
    """Serve a folder on the loopback address."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Mirror, directory=folder)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


def test_the_archive_of_elastic_is_preferred_and_verified(host: Host) -> None:
    published = host.folder / "published"
    published.mkdir()
    archive = published / f"elasticsearch-{VERSION}-linux-{os.uname().machine}.tar.gz"
    with zipfile.ZipFile(fetch(VERSION)) as reduced, tarfile.open(archive, "w:gz", compresslevel=0) as packed:
        for member in reduced.infolist():
            info = tarfile.TarInfo(member.filename)
            info.mode = (member.external_attr >> 16) & 0o777
            info.type, info.size = (tarfile.DIRTYPE, 0) if member.is_dir() else (tarfile.REGTYPE, member.file_size)
            packed.addfile(info, io.BytesIO(reduced.read(member)))
    checksum = archive.with_name(archive.name + ".sha512")
    sources = {"elasticsearch_archive_path": "", "elasticsearch_archive_checksum": ""}
    with mirror_of(published) as url:
        checksum.write_text(f"{'0' * 128}  {archive.name}\n")
        host.refuse(
            "Cannot download", "elasticsearch_archive_url to a mirror", elasticsearch_elastic_url=url, **sources
        )
        checksum.write_text(f"{digest(archive)}  {archive.name}\n")
        run = host.converge(elasticsearch_elastic_url=url, elasticsearch_service_state="stopped", **sources)
    assert run.changed > 0
    home = host.folder / "host" / f"elasticsearch-{VERSION}"
    assert (home / ".origin").read_text() == "Elastic's own archive\n"
    assert os.access(home / "bin/elasticsearch", os.X_OK)


def copy_tools(folder: Path) -> dict[str, str]:
    """Copy Ansible and the collection to where an ordinary user can read them, and return the environment for them."""
    for name in LIBRARIES:
        found = importlib.util.find_spec(name)
        assert found
        assert found.origin
        package = Path(found.origin).parent
        shutil.copytree(package, folder / "python" / name)
        for metadata in package.parent.glob("*.dist-info"):
            shutil.copytree(metadata, folder / "python" / metadata.name, dirs_exist_ok=True)
    collection = folder / "collections/ansible_collections/raylogs/efk"
    for name in ("meta", "plugins", "roles"):
        shutil.copytree(ROOT / name, collection / name)
    shutil.copy(ROOT / "galaxy.yml", collection)
    archive = folder / fetch(VERSION).name
    shutil.copy(fetch(VERSION), archive)
    archive.chmod(0o644)
    return {
        "ANSIBLE_COLLECTIONS_PATH": str(folder / "collections"),
        "ANSIBLE_REMOTE_TEMP": str(folder / "home/tmp"),
        "ANSIBLE_STDOUT_CALLBACK": "raylogs.efk.readable",
        "HOME": str(folder / "home"),
        "LC_ALL": "C.UTF-8",
        "PATH": "/usr/bin:/bin",
        "PYTHONPATH": str(folder / "python"),
    }


def test_an_ordinary_user_needs_no_rights() -> None:
    with contextlib.ExitStack() as stack:
        if not IS_ROOT:
            host = stack.enter_context(host_of(OWN_COMMAND, OWN_ENVIRONMENT))
        else:
            tools = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="raylogs-tools-", dir="/var/tmp")))
            environment = copy_tools(tools)
            (tools / "home").mkdir()
            shutil.chown(tools / "home", SERVER_USER)
            tools.chmod(0o755)
            drop = ["setpriv", f"--reuid={SERVER_USER}", f"--regid={SERVER_GROUP}", "--clear-groups"]
            command = [*drop, "/usr/bin/python3", "-m", "ansible.cli.playbook"]
            host = stack.enter_context(host_of(command, environment, SERVER_USER))
            host.variables["elasticsearch_archive_path"] = str(tools / fetch(VERSION).name)
        assert host.converge().changed > 0
        assert host.health() == "green"
        host.converge(entry_point="stop")
        assert not host.pid_file.exists()
