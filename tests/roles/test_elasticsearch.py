# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role elasticsearch on this host: real runs of ansible-playbook, real servers, as root and as an ordinary user."""

from __future__ import annotations

import contextlib
import functools
import http.server
import importlib.util
import io
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import tarfile
import tempfile
import threading
import time
import typing as t
import zipfile
from pathlib import Path

import pytest
import requests

from tests.certificates import Pair, make_pair
from tests.role_host import (
    INSECURE,
    OWN_COMMAND,
    OWN_ENVIRONMENT,
    ROOT,
    SERVER_GROUP,
    SERVER_USER,
    VERSION,
    Host,
    archive_of,
    digest,
    host_of,
)
from tests.small_disk import demand_small_disks, on_small_disk
from tools.fetch_elasticsearch import fetch

IS_ROOT = os.geteuid() == 0
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


def test_check_mode_on_a_virgin_host_changes_nothing(host: Host) -> None:
    run = host.run("--check")
    assert (run.failed, run.changed > 0) == (0, True), run.output
    said = ["A CA would be made", "A certificate would be issued", "The password of elastic would be put into"]
    known = f"URL https://127.0.0.1:{host.port}, CA {host.secrets}/ca.crt, password {host.secrets}/passwords/elastic."
    assert [words for words in [*said, known] if words not in " ".join(run.output.split())] == [], run.output
    assert not (host.folder / "host").exists()
    assert not (host.folder / "secrets").exists()


def check_loopback(host: Host) -> None:
    """Demand that the server listens on the loopback address and nowhere else."""
    listeners = Path("/proc/net/tcp").read_text() + Path("/proc/net/tcp6").read_text()
    addresses = re.findall(rf" ([0-9A-F]+):{host.port:04X} [0-9A-F]+:0000 0A", listeners)
    assert addresses
    assert set(addresses) <= {"0100007F", "0000000000000000FFFF00000100007F"}


def secret_files(host: Host) -> dict[str, bytes]:
    """Read all that the role keeps secret, and the certificates."""
    folders = (host.secrets, host.certs)
    paths = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    return {str(path): path.read_bytes() for path in [*paths, host.folder / "host/config/elasticsearch.keystore"]}


class Watch(threading.Thread):
    """Looks at the command lines and environments of all processes until it is told to end."""

    def __init__(self) -> None:
        """Nothing was seen yet."""
        super().__init__(daemon=True)
        self.seen: set[str] = set()
        self.ended = threading.Event()

    def run(self) -> None:
        """Look again and again."""
        while not self.ended.wait(0.02):
            for name in ("cmdline", "environ"):
                for path in Path("/proc").glob(f"[0-9]*/{name}"):
                    with contextlib.suppress(OSError):
                        self.seen.add(path.read_text(errors="replace"))


def key_text(path: Path) -> str:
    """Return a line of a key that no other key has."""
    return path.read_text().splitlines()[2]


def check_no_secret_shows(host: Host) -> None:
    """Demand that no secret of a whole first run stands in a command line, the output, a log, or an open file."""
    watch = Watch()
    watch.start()
    run = host.converge("-vvv", "--diff")
    watch.ended.set()
    watch.join()
    assert any("elasticsearch-keystore" in seen for seen in watch.seen), "the watch saw what takes the password"
    keys = [host.secrets / "ca.key", host.certs / "node.key"]
    secrets = [host.password, *map(key_text, keys)]
    logs = [path.read_text(errors="replace") for path in (host.folder / "host/log").iterdir() if path.is_file()]
    assert [text[:200] for text in [run.output, *logs, *watch.seen] if any(secret in text for secret in secrets)] == []
    keystore = host.folder / "host/config/elasticsearch.keystore"
    private = [*keys, keystore, host.secrets / "passwords/elastic"]
    assert {oct(path.stat().st_mode & 0o777) for path in private} == {"0o600"}
    folders = [host.folder / "secrets", host.secrets, host.secrets / "passwords"]
    assert {oct(path.stat().st_mode & 0o777) for path in folders} == {"0o700"}
    assert {oct(path.stat().st_mode & 0o777) for path in host.certs.glob("*.crt")} == {"0o640"}
    assert not list((host.folder / "host").rglob("ca.key"))
    assert (host.secrets / ".gitignore").read_text() == "*\n"


def check_secured(host: Host) -> None:
    """Demand that the server answers over verified TLS and to its users alone."""
    assert host.health() in {"green", "yellow"}
    assert host.request("GET", "/", auth=None).status_code == 401
    assert host.request("GET", "/", auth=("elastic", "another-password")).status_code == 401
    with pytest.raises(requests.exceptions.SSLError):
        host.request("GET", "/", verify=True)
    with pytest.raises(requests.exceptions.ConnectionError):
        requests.get(f"http://127.0.0.1:{host.port}", timeout=20)
    assert len(host.password) >= 24


def shown_certificate(host: Host) -> str:
    """Return the certificate that the server shows."""
    return ssl.get_server_certificate(("127.0.0.1", host.port))


def check_renewal(host: Host, variables: dict[str, str]) -> None:
    """Demand that a certificate that ends soon is replaced for the same key, and that the server reads it by itself."""
    key = (host.certs / "node.key").read_bytes()
    pid, shown = host.pid, shown_certificate(host)
    run = host.converge(**variables)
    assert run.changed == 1
    assert "is valid for 730 days, its CA for 3649 days" in " ".join(run.output.split())
    deadline = time.monotonic() + 30
    while shown_certificate(host) == shown:
        assert time.monotonic() < deadline, "the server still shows its former certificate"
        time.sleep(0.5)
    assert shown_certificate(host).strip() == (host.certs / "node.crt").read_text().strip()
    assert (host.certs / "node.key").read_bytes() == key
    assert host.pid == pid
    check_secured(host)


def check_other_password(host: Host, variables: dict[str, str]) -> None:
    """Demand that another password on the control node resets nothing, and is refused with its place."""
    password = host.password
    place = host.secrets / "passwords/elastic"
    pid, keystore = host.pid, (host.folder / "host/config/elasticsearch.keystore").read_bytes()
    place.write_text("quite-another-one\n")
    host.refuse(
        "it refuses this user (401)",
        f"The password of elastic in {place} is not the one that the cluster knows.",
        "the role never resets a password",
        **variables,
    )
    place.write_text(password)
    assert (host.folder / "host/config/elasticsearch.keystore").read_bytes() == keystore
    assert host.pid == pid
    check_secured(host)


def check_lost_password(host: Host) -> None:
    """Demand that no second password is made where the first is lost."""
    place = host.secrets / "passwords/elastic"
    kept = place.rename(host.folder / "kept")
    host.refuse("The password of elastic is lost: this server has one", "Restore that file from your copy")
    assert not place.exists()
    kept.rename(place)


def check_again(host: Host) -> None:
    """Demand that a second run changes nothing, and resets nothing."""
    pid, kept = host.pid, secret_files(host)
    assert host.converge().changed == 0
    assert host.pid == pid
    assert secret_files(host) == kept


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


def kill_when_written(host: Host, words: str, **variables: t.Any) -> None:
    """Run the role, and kill the run as soon as it wrote these words into the settings of the server."""
    pid, starts = host.pid, host.starts()
    settings = host.folder / "host/config/elasticsearch.yml"
    with subprocess.Popen(
        host.command_line(**variables),
        cwd=host.folder,
        env={**os.environ, **host.environment},
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    ) as run:
        while words not in settings.read_text():
            assert run.poll() is None
            time.sleep(0.05)
        os.killpg(run.pid, signal.SIGKILL)
    assert (host.pid, host.starts()) == (pid, starts)


def check_lost_run(host: Host) -> None:
    """Demand that a run that is killed after it wrote the configuration leaves a restart to the next one."""
    starts = host.starts()
    variables = {"elasticsearch_config": {"action.auto_create_index": True}}
    kill_when_written(host, "action.auto_create_index", **variables)
    host.converge(**variables)
    assert host.starts() == starts + 1


def check_lost_stop(host: Host) -> None:
    """Demand that a node that runs with TLS is known as such, whatever a run that was killed made of its settings."""
    pid = host.pid
    without_users = "xpack.security.enabled: false"
    kill_when_written(host, without_users, elasticsearch_service_state="stopped", **INSECURE)
    host.inventory = "es2,localhost,"
    host.refuse(
        "Cannot switch TLS off between the nodes of the running cluster raylogs one by one",
        "Stop all nodes with elasticsearch_service_state set to stopped, and run again without it.",
        elasticsearch_inventory_group="all",
        **INSECURE,
    )
    host.inventory = "localhost,"
    assert without_users in (host.folder / "host/config/elasticsearch.yml").read_text()
    host.converge()
    assert host.pid == pid
    check_secured(host)


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
    assert {path.name for path in host.secrets.iterdir()} == {".gitignore", "ca.crt", "ca.key", "passwords"}
    assert host.converge(elasticsearch_state="absent").changed == 0
    host.converge(elasticsearch_state="absent", elasticsearch_data_state="absent")
    assert not (host.folder / "host").exists()


def test_the_life_of_a_server(host: Host) -> None:
    check_no_secret_shows(host)
    check_secured(host)
    check_loopback(host)
    check_own_temp_folder(host)
    check_again(host)
    check_changed_setting(host)
    check_taken_port(host)
    check_killed(host)
    check_other_program(host)
    check_lost_stop(host)
    check_lost_run(host)
    check_short_memory(host)
    check_refused_setting(host)
    check_removal(host)


def check_kept(host: Host) -> None:
    """Demand that the document of the first server is there."""
    assert host.request("GET", "/kept/_doc/1").json()["_source"] == {"a": 1}


def test_security_comes_to_a_running_server_and_an_upgrade_keeps_the_data(host: Host) -> None:
    old = archive_of("7.17.9")
    run = host.converge(**old, **INSECURE)
    assert "ATTENTION: elasticsearch_insecure_without_tls_and_users is true. TLS AND USERS ARE OFF" in run.output
    assert not host.secrets.exists()
    assert host.request("PUT", "/kept/_doc/1", params={"refresh": "true"}, json={"a": 1}).ok
    starts = host.starts()
    host.converge(**old, certificates_days=20, certificates_renew_days=10)
    assert host.starts() == starts + 1
    check_secured(host)
    check_kept(host)
    check_renewal(host, old)
    check_other_password(host, old)
    check_lost_password(host)
    host.converge()
    check_secured(host)
    check_kept(host)
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
            {"elasticsearch_host": "::", **INSECURE},
            ["Refusing to let Elasticsearch listen on ::", "elasticsearch_insecure_network_allowed to true"],
            id="strangers could reach it",
        ),
        pytest.param(
            {"elasticsearch_host": "192.0.2.1", "elasticsearch_publish_host": "no-such-host.invalid", **INSECURE},
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
        pytest.param(
            {"elasticsearch_password": ""},
            ["Refusing the password of elastic in elasticsearch_password: it is empty.", "have one generated"],
            id="an empty password",
        ),
        pytest.param(
            {"elasticsearch_password": "MyElastic2026"},
            ["Refusing the password of elastic", "it contains the name of the user"],
            id="a weak password",
        ),
        pytest.param(
            {"elasticsearch_username": "watchman"},
            ["Cannot ask the server as watchman: nothing says the password. Set elasticsearch_password"],
            id="a user without a password",
        ),
        pytest.param(
            {
                "elasticsearch_config": {"xpack": {"security": {"http.ssl.enabled": False}}},
                "elasticsearch_config_extra": {"xpack.security.authc.realms.native.native1.enabled": "false"},
            },
            [
                "Refusing xpack.security.authc.realms.native.native1.enabled: false and xpack.security.http.ssl",
                "set elasticsearch_insecure_without_tls_and_users to true",
            ],
            id="TLS and a realm switched off by settings",
        ),
        pytest.param(
            {"elasticsearch_config": {"xpack.security.enabled": True}, **INSECURE},
            ["Refusing xpack.security.enabled: true", "Remove one of the two"],
            id="users on and off at once",
        ),
    ],
)
def test_what_cannot_work_is_refused_before_anything_changes(
    host: Host, variables: dict[str, t.Any], words: list[str]
) -> None:
    host.refuse(*words, **variables)
    assert not (host.folder / "host").exists()
    assert not host.secrets.exists()


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


def test_a_ready_certificate_is_used_from_the_node_and_from_the_control_node(host: Host) -> None:
    own, given = make_pair("Our own CA", authority=True), host.folder / "given"
    given.mkdir()
    names = {
        "certificate_path": "server.crt",
        "certificate_key_path": "server.key",
        "certificate_ca_path": "our_ca.crt",
    }
    ready = {f"elasticsearch_{name}": str(given / file) for name, file in names.items()}
    stopped = {"elasticsearch_service_state": "stopped"}

    def give(pair: Pair, key: bytes) -> None:
        (given / "our_ca.crt").write_bytes(own.pem)
        (given / "server.crt").write_bytes(pair.pem)
        (given / "server.key").write_bytes(key)
        (given / "server.key").chmod(0o600)

    host.refuse("server.crt", "not all of these are there", **ready)
    good, ended = make_pair("es1", issuer=own), make_pair("es1", issuer=own, days=(-9, -1))
    give(ended, ended.key_pem())
    host.refuse("it ended at", "Have a new one issued, or set the clock", **ready)
    give(make_pair("es1", issuer=own, authority=None), good.key_pem())
    host.refuse("it was made for another key", "it is not for IP:127.0.0.1", **ready)
    assert not (host.folder / "host").exists()
    give(good, good.key_pem())
    assert "would be copied" in host.converge("--check", **ready, **stopped).output
    assert not (host.folder / "host").exists()
    host.converge(**ready, **stopped)
    assert {path.name: path.read_bytes() for path in host.certs.iterdir()} == {
        "ca.crt": own.pem,
        "node.crt": good.pem,
        "node.key": good.key_pem(),
    }
    assert oct((host.certs / "node.key").stat().st_mode & 0o777) == "0o600"
    assert (host.secrets / "ready/ca.crt").read_bytes() == own.pem
    assert not list(host.secrets.glob("ca.*")), "no CA is made where one is given"
    better = make_pair("es1", issuer=own)
    give(better, better.key_pem())
    run = host.converge("--diff", "-vvv", **ready, **stopped, elasticsearch_certificate_source="control_node")
    assert run.changed == 1
    assert (host.certs / "node.crt").read_bytes() == better.pem
    assert better.key_pem().decode().splitlines()[2] not in run.output


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
    ansible = importlib.util.find_spec("ansible")
    assert ansible
    assert ansible.origin
    crypto = Path(ansible.origin).parents[1] / "ansible_collections/community/crypto"
    shutil.copytree(crypto, folder / "collections/ansible_collections/community/crypto")
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
        check_secured(host)
        host.converge(entry_point="stop")
        assert not host.pid_file.exists()
