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
import time
import typing as t
import zipfile
from pathlib import Path

import pytest
import requests

from tests.small_disk import demand_small_disks, on_small_disk
from tools.fetch_elasticsearch import fetch

ROOT = Path(__file__).parents[2]
IS_ROOT = os.geteuid() == 0
SERVER_USER, SERVER_GROUP = "nobody", "nogroup"
VERSION = "8.19.0"
PLAY = """
- name: Run the role
  hosts: all
  gather_facts: false
  tasks:
    - name: Run the role
      ansible.builtin.import_role:
        name: raylogs.efk.elasticsearch
        tasks_from: "{{ entry_point | default('main') }}"
"""
PLAY_OF_THE_UNIT = """
- name: Write the unit
  hosts: all
  gather_facts: false
  tasks:
    - name: Look at the host
      ansible.builtin.import_role: &role
        name: raylogs.efk.elasticsearch
        tasks_from: host
    - name: Write the unit
      ansible.builtin.import_role:
        <<: *role
        tasks_from: unit
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
        self.inventory = "localhost,"
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


def check_lost_run(host: Host) -> None:
    """Demand that a run that is killed after it wrote the configuration leaves a restart to the next one."""
    pid, starts = host.pid, host.starts()
    variables = {"elasticsearch_config": {"action.auto_create_index": True}}
    settings = host.folder / "host/config/elasticsearch.yml"
    with subprocess.Popen(
        host.command_line(**variables),
        cwd=host.folder,
        env={**os.environ, **host.environment},
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    ) as run:
        while "action.auto_create_index" not in settings.read_text():
            assert run.poll() is None
            time.sleep(0.05)
        os.killpg(run.pid, signal.SIGKILL)
    assert (host.pid, host.starts()) == (pid, starts)
    host.converge(**variables)
    assert host.starts() == starts + 1


def check_short_memory(host: Host) -> None:
    """Demand that a running server is left alone when there is no memory for its new heap."""
    pid = host.pid
    host.refuse("with a heap of 9000g", elasticsearch_heap_size="9000g")
    assert host.pid == pid
    assert "-Xmx512m" in (host.folder / "host/config/jvm.options.d/raylogs.options").read_text()


def check_refused_setting(host: Host) -> None:
    """Demand that a setting that the server refuses is named with what to do, and that the next run mends it."""
    host.refuse(
        "Cannot start Elasticsearch: Elasticsearch 8.19.0 does not know the setting no.such.setting. Correct its name",
        elasticsearch_config={"no.such.setting": 1},
    )
    host.converge()
    assert host.health() == "green"


def check_removal(host: Host) -> None:
    """Demand that a removed server leaves its data and logs, unless told otherwise."""
    host.converge(elasticsearch_state="absent")
    assert {path.name for path in (host.folder / "host").iterdir()} == {"data", "log"}
    assert host.converge(elasticsearch_state="absent").changed == 0
    host.converge(elasticsearch_state="absent", elasticsearch_data_state="absent")
    assert not (host.folder / "host").exists()


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
    check_lost_run(host)
    check_short_memory(host)
    check_refused_setting(host)
    check_removal(host)


def test_an_upgrade_keeps_the_data_and_there_is_no_way_back(host: Host) -> None:
    old = {"elasticsearch_version": "7.17.9", "elasticsearch_archive_path": str(fetch("7.17.9"))}
    old["elasticsearch_archive_checksum"] = "sha512:" + digest(fetch("7.17.9"))
    host.converge(**old)
    document = f"http://127.0.0.1:{host.port}/kept/_doc/1"
    assert requests.put(document, params={"refresh": "true"}, json={"a": 1}, timeout=20).ok
    host.converge()
    assert requests.get(document, timeout=20).json()["_source"] == {"a": 1}
    pid = host.pid
    host.refuse("version 8.19.0 wrote the data", "Set elasticsearch_version to 8.19.0 or later", **old)
    assert host.pid == pid


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
        pytest.param(
            {"elasticsearch_host": "::"},
            ["Refusing to let Elasticsearch listen on ::", "elasticsearch_insecure_network_allowed to true"],
            id="strangers could reach it",
        ),
        pytest.param(
            {"elasticsearch_host": "192.0.2.1", "elasticsearch_publish_host": "no-such-host.invalid"},
            ["Refusing to let Elasticsearch listen on 192.0.2.1"],
            id="one address of the network",
        ),
        pytest.param(
            {"elasticsearch_service_manager": "systemd", "elasticsearch_service_name": "raylogs-test"},
            ["Cannot run Elasticsearch as a service of systemd", "elasticsearch_service_manager to daemon"],
            id="no systemd",
        ),
        pytest.param(
            {"elasticsearch_method": "package"},
            ["Cannot install Elasticsearch as a package", "Set elasticsearch_method to archive"],
            id="a package without systemd",
        ),
        pytest.param(
            {"elasticsearch_publish_host": "no-such-host.invalid"},
            ["cannot resolve no-such-host.invalid", "Add the name to DNS or /etc/hosts"],
            id="a name that nobody knows",
        ),
        pytest.param(
            {"elasticsearch_clock_skew_max": -5},
            ["The clock of localhost is", "Set up time synchronisation"],
            id="a wrong clock",
        ),
    ],
)
def test_what_cannot_work_is_refused_before_anything_changes(
    host: Host, variables: dict[str, t.Any], words: list[str]
) -> None:
    host.refuse(*words, **variables)
    assert not (host.folder / "host").exists()


def test_a_disk_that_is_nearly_full_is_refused_before_anything_changes(host: Host) -> None:
    disk = host.folder / "disk"
    disk.mkdir()
    demand_small_disks(disk)
    host.command = on_small_disk(disk, 50, OWN_COMMAND)
    host.refuse(
        f"Cannot start Elasticsearch with its data in {disk}/data: 50 MiB are free there, 2048 MiB are needed.",
        "set elasticsearch_data_dir to a folder on a larger disk",
        elasticsearch_data_dir=str(disk / "data"),
    )
    assert not (host.folder / "host").exists()


def test_two_nodes_with_one_name_are_refused(host: Host) -> None:
    host.inventory = "es1,es2,"
    twins = {"elasticsearch_inventory_group": "all", "elasticsearch_node_name": "twin"}
    output = host.run(**twins).output
    said = " ".join(output.split())
    assert "es1 and es2 are both named twin. Give every host an elasticsearch_node_name of its own" in said, output
    host.variables["elasticsearch_inventory_group"] = "all"
    said = " ".join(host.run().output.split())
    assert "es1 and es2 would both be reached at 127.0.0.1:9300. Set elasticsearch_host to an address" in said
    assert not (host.folder / "host").exists()


@pytest.mark.parametrize(
    ("state", "version", "words"),
    [
        pytest.param("9.2.0", VERSION, ["version 9.2.0 wrote the data", "never goes back"], id="newer data"),
        pytest.param("7.17.9", "9.2.0", ["version 7.17.9 wrote the data", "a version between"], id="data too old"),
        pytest.param(None, VERSION, ["holds files of another program (_state, notes.txt)"], id="data of others"),
    ],
)
def test_data_that_do_not_fit_are_refused(host: Host, state: str | None, version: str, words: list[str]) -> None:
    data = host.folder / "host/data"
    (data / "_state").mkdir(parents=True)
    if state:
        shutil.copy(ROOT / f"tests/unit/fixtures/host_installation_info/node-{state}.st", data / "_state/node-1.st")
    else:
        (data / "notes.txt").touch()
    host.refuse(*words, elasticsearch_version=version)
    assert [path.name for path in (host.folder / "host").iterdir()] == ["data"]


def test_the_unit_is_valid_and_hardened(host: Host) -> None:
    program = host.folder / f"host/elasticsearch-{VERSION}/bin/elasticsearch"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    unit = host.folder / "elasticsearch.service"
    (host.folder / "play.yml").write_text(PLAY_OF_THE_UNIT)
    variables = {"elasticsearch_service_manager": "systemd", "__elasticsearch_unit_path": str(unit)}
    host.converge(**variables, elasticsearch_user="root", elasticsearch_group="root")
    said = subprocess.run(
        [
            shutil.which("systemd-analyze") or "",
            "security",
            "--offline=true",
            "--threshold=20",
            "--no-pager",
            str(unit),
        ],
        check=False,
        capture_output=True,
        text=True,
    )
    assert said.returncode == 0, said.stdout + said.stderr
    assert "LimitNOFILE=65535" in unit.read_text()


def test_a_damaged_archive_leaves_nothing_half_installed(host: Host) -> None:
    damaged = host.folder / "damaged.zip"
    damaged.write_bytes(fetch(VERSION).read_bytes()[: 1 << 20])
    host.refuse("is not what it should be", "Remove it (rm ", elasticsearch_archive_path=str(damaged))
    assert [path.name for path in (host.folder / "host").iterdir()] == ["cache"]


def test_a_half_downloaded_archive_is_named_and_the_next_run_completes(host: Host) -> None:
    published = host.folder / "published"
    published.mkdir()
    archive = published / "elasticsearch.zip"
    archive.write_bytes(fetch(VERSION).read_bytes()[: 1 << 20])
    with mirror_of(published) as url:
        source = {"elasticsearch_archive_path": "", "elasticsearch_archive_url": f"{url}/elasticsearch.zip"}
        host.refuse("Cannot download", "did not match", "elasticsearch_archive_checksum", **source)
        assert list((host.folder / "host/cache").iterdir()) == []
        shutil.copy(fetch(VERSION), archive)
        host.converge(elasticsearch_service_state="stopped", **source)


def test_missing_java_is_named_with_the_command_that_installs_it(host: Host) -> None:
    host.refuse(
        "needs version 17 or later of the host",
        "/nowhere/bin/java is not there",
        "Install",
        elasticsearch_java_home="/nowhere",
        elasticsearch_java_install=False,
    )


@pytest.mark.skipif(not shutil.which("apt-cache"), reason="only Debian's relatives have apt")
def test_the_java_of_the_distribution_is_found_where_there_is_none(host: Host) -> None:
    """The reduced archive brings no Java, which is known before it is fetched."""
    tools = host.folder / "tools"
    tools.mkdir()
    for program in Path("/usr/bin").iterdir():
        if program.name != "java":
            (tools / program.name).symlink_to(program)
    host.environment = {**host.environment, "PATH": str(tools)}
    maven = {
        "elasticsearch_archive_path": "",
        "elasticsearch_archive_checksum": "",
        "elasticsearch_archive_sources": ["maven"],
    }
    query = ["apt-cache", "madison", "openjdk-21-jre-headless", "openjdk-17-jre-headless"]
    listed = subprocess.run(query, check=True, capture_output=True, text=True).stdout
    if not listed:
        pytest.skip("apt lists no Java: apt-get update was not run")
    host.refuse(
        "this archive brings no Java and needs version 17 or later of the host, and java is not there.",
        f"Install it: {'' if IS_ROOT else 'sudo '}apt-get install {listed.split()[0]}",
        **maven,
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
