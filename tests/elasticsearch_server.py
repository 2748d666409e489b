# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real Elasticsearch servers for tests: loopback, random port, own folders, gone afterwards."""

from __future__ import annotations

import atexit
import contextlib
import functools
import os
import re
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
import typing as t
import zipfile
from pathlib import Path

import requests
import trustme

from tools.fetch_elasticsearch import fetch

HEALTH = "/_cluster/health?wait_for_status=green&wait_for_events=languid&timeout=10s"
SECONDS_TO_START = 180
SECONDS_TO_STOP = 30
SETTINGS = {
    "cluster.name": "raylogs-tests",
    "discovery.type": "single-node",
    "network.host": "127.0.0.1",
    "http.port": "0",
    "transport.port": "0",
    "node.portsfile": "true",
    "xpack.security.enabled": "false",
    "cluster.routing.allocation.disk.watermark.low": "2gb",
    "cluster.routing.allocation.disk.watermark.high": "1gb",
    "cluster.routing.allocation.disk.watermark.flood_stage": "500mb",
}
SECURED = {
    "xpack.security.enabled": "true",
    "xpack.security.http.ssl.enabled": "true",
    "xpack.security.transport.ssl.enabled": "true",
    "xpack.security.transport.ssl.verification_mode": "full",
    **{
        f"xpack.security.{layer}.ssl.{setting}": f"certs/{file}"
        for layer in ("http", "transport")
        for setting, file in (("key", "node.key"), ("certificate", "node.crt"), ("certificate_authorities", "ca.crt"))
    },
}
ADMIN = "elastic"
PLUGIN = Path(__file__).parent / "analysis_plugin"
BYTECODE = {"7": "11", "8": "17", "9": "21"}
ANY = 99
JAVAS = {
    "7": (17, 21, "openjdk-17-jre-headless"),
    "8": (17, ANY, "openjdk-17-jre-headless"),
    "9": (21, ANY, "openjdk-21-jre-headless"),
}
VECTOR, VECTOR_SINCE = "jdk.incubator.vector", 20


class MissingJavaError(RuntimeError):
    """Say which Java a version of Elasticsearch needs."""


@contextlib.contextmanager
def url_for_tests() -> t.Iterator[str]:
    """Give ELASTICSEARCH_URL when it is set, else the URL of a server started for the purpose."""
    if url := os.environ.get("ELASTICSEARCH_URL"):
        yield url.rstrip("/")
    else:
        with running_elasticsearch() as own:
            yield own


class Secured(t.NamedTuple):
    """A server with TLS and users; `password` is that of the user elastic."""

    url: str
    ca_path: str
    version: tuple[int, ...]
    password: str


@contextlib.contextmanager
def running_elasticsearch(version: str = "8.19.0", settings: t.Mapping[str, str] | None = None) -> t.Iterator[str]:
    """Start a server with empty data folders, give its URL, stop it by its process id and remove its folders.

    :raises MissingJavaError: when there is no Java that runs it.
    :raises RuntimeError: when it does not get healthy; the message ends with its log.
    """
    java = java_home(version)
    with own_folder() as folder:
        prepare(folder, home(version), {**SETTINGS, **(settings or {})})
        with serving(folder, home(version), java) as url:
            yield url


@contextlib.contextmanager
def running_secured_elasticsearch(
    version: str = "8.19.0", settings: t.Mapping[str, str] | None = None, *, plugin: bool = True
) -> t.Iterator[Secured]:
    """Start a server with TLS and users; it holds users, roles and keys where the plugin is added.

    :raises MissingJavaError: when there is no Java that runs it, or none that builds the plugin.
    :raises RuntimeError: when it does not get healthy; the message ends with its log.
    """
    java = java_home(version)
    distribution = home_with_plugin(version) if plugin else home(version)
    with own_folder() as folder:
        numbers = tuple(map(int, version.split(".")))
        server = Secured("", str(folder / "ca.crt"), numbers, secrets.token_urlsafe(24))
        prepare(folder, distribution, {**SETTINGS, **SECURED, **(settings or {})}, server, java)
        with serving(folder, distribution, java, server) as url:
            ready = server._replace(url=url)
            if plugin:
                settle(ready)
            yield ready


@contextlib.contextmanager
def own_folder() -> t.Iterator[Path]:
    """Make a folder for one server."""
    folder = Path(tempfile.mkdtemp(prefix="raylogs-elasticsearch-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def serving(folder: Path, distribution: Path, java: str, secured: Secured | None = None) -> t.Iterator[str]:
    """Run a server until the end of the block."""
    process = start(folder, distribution, java)
    try:
        yield wait_until_healthy(process, folder, secured)
    finally:
        stop(process)


@functools.cache
def home_with_plugin(version: str) -> Path:
    """Add the plugin to a copy of the distribution; removed when the tests end.

    :raises MissingJavaError: when there is no Java that builds it.
    """
    compiler = java_home(version, development=True)
    folder = Path(tempfile.mkdtemp(prefix="raylogs-elasticsearch-home-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    folder.chmod(0o755)
    copy, classes = folder / f"elasticsearch-{version}", folder / "classes"
    shutil.copytree(home(version), copy, copy_function=os.link)
    built = copy / "plugins" / PLUGIN.name
    built.mkdir(parents=True)
    release = BYTECODE[version.partition(".")[0]]
    javac = [
        f"{compiler}/bin/javac",
        "-Xlint:-options",
        "--release",
        release,
        "-cp",
        f"{copy}/lib/*",
        "-d",
        str(classes),
    ]
    subprocess.run([*javac, *map(str, PLUGIN.rglob("*.java"))], check=True)
    shutil.make_archive(str(built / "plugin"), "zip", classes)
    (built / "plugin.zip").rename(built / "plugin.jar")
    described = (PLUGIN / "plugin-descriptor.properties").read_text()
    versions = f"java.version={release}\nelasticsearch.version={version}\n"
    (built / "plugin-descriptor.properties").write_text(described + versions)
    return copy


@functools.cache
def home(version: str) -> Path:
    """Unpack the distribution where an unprivileged user may read it; removed when the tests end."""
    folder = Path(tempfile.mkdtemp(prefix="raylogs-elasticsearch-home-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    with zipfile.ZipFile(fetch(version)) as archive:
        archive.extractall(folder)
    folder.chmod(0o755)
    unpacked = folder / f"elasticsearch-{version}"
    for program in (unpacked / "bin").iterdir():
        program.chmod(0o755)
    return unpacked


def prepare(
    folder: Path,
    distribution: Path,
    settings: t.Mapping[str, str],
    secured: Secured | None = None,
    java: str = "",
) -> None:
    """Write the configuration and hand the folders to the user that runs the server."""
    shutil.copytree(distribution / "config", folder / "config")
    options = folder / "config" / "jvm.options"
    options.write_text("".join(line for line in options.read_text().splitlines(True) if "=logs/" not in line))
    for name in ("data", "logs", "tmp"):
        (folder / name).mkdir()
    paths = {"path.data": str(folder / "data"), "path.logs": str(folder / "logs")}
    lines = [f'{key}: "{value}"\n' for key, value in {**settings, **paths}.items()]
    (folder / "config" / "elasticsearch.yml").write_text("".join(lines))
    if secured:
        write_certificates(secured, folder / "config" / "certs")
        store_password(secured, folder, distribution, java)
    if user := unprivileged_user():
        for path in (folder, *folder.rglob("*")):
            shutil.chown(path, user)


def write_certificates(secured: Secured, folder: Path) -> None:
    """Make an authority and a certificate for loopback; the key of the authority is kept nowhere."""
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1", "localhost")
    folder.mkdir()
    certificate.private_key_pem.write_to_path(str(folder / "node.key"))
    certificate.cert_chain_pems[0].write_to_path(str(folder / "node.crt"))
    for path in (folder / "ca.crt", secured.ca_path):
        authority.cert_pem.write_to_path(str(path))


def store_password(secured: Secured, folder: Path, distribution: Path, java: str) -> None:
    """Give the user elastic its first password, which passes through standard input alone."""
    command = [str(distribution / "bin" / "elasticsearch-keystore"), "add", "--force", "--stdin", "bootstrap.password"]
    subprocess.run(
        command, env=environment(folder, java), input=secured.password.encode(), check=True, capture_output=True
    )


def environment(folder: Path, java: str) -> dict[str, str]:
    """Build the environment of a server's programs."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "ES_JAVA_HOME": java,
        "ES_JAVA_OPTS": "-Xms512m -Xmx512m",
        "ES_PATH_CONF": str(folder / "config"),
        "ES_TMPDIR": str(folder / "tmp"),
    }


def unprivileged_user() -> str | None:
    """Name the user that runs the server: Elasticsearch refuses to run as root."""
    return "nobody" if os.getuid() == 0 else None


def start(folder: Path, distribution: Path, java: str) -> subprocess.Popen[bytes]:
    """Start the server in a process group of its own; it ends, too, when the tests are killed."""
    command = ["setpriv", "--pdeathsig", "TERM", "--", str(distribution / "bin" / "elasticsearch")]
    with (folder / "output.log").open("wb") as output:
        return subprocess.Popen(
            command,
            cwd=folder,
            env=environment(folder, java),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            user=unprivileged_user(),
            extra_groups=[] if unprivileged_user() else None,
        )


class Java(t.NamedTuple):
    """A Java, as its file `release` describes it."""

    home: Path
    version: int
    modules: frozenset[str]


def java_home(version: str, candidates: t.Sequence[Path] | None = None, *, development: bool = False) -> str:
    """Find a Java that runs this version of Elasticsearch, the first that fits, or one that builds plugins for it.

    :raises MissingJavaError: when there is none.
    """
    oldest, newest, package = JAVAS[version.partition(".")[0]]
    for java in filter(None, map(read_java, java_candidates() if candidates is None else candidates)):
        fits = java.version < VECTOR_SINCE or VECTOR in java.modules
        if development and java.version >= oldest and (java.home / "bin" / "javac").is_file():
            return str(java.home)
        if not development and oldest <= java.version <= newest and fits:
            return str(java.home)
    accepted = f"Java {oldest} or later" if newest == ANY else f"Java {oldest} to {newest}"
    if development:
        raise MissingJavaError(
            f"Users and roles on the reduced Elasticsearch {version} need a plugin, and to build it the javac of "
            f"Java {oldest} or later: apt-get install {package.replace('jre', 'jdk')}"
        )
    raise MissingJavaError(
        f"Elasticsearch {version} needs {accepted}, with the module {VECTOR}: apt-get install {package}"
    )


def java_candidates() -> list[Path]:
    """List the places where Javas are looked for, what the user names first."""
    named = [Path(os.environ[name]) for name in ("ES_JAVA_HOME", "JAVA_HOME") if os.environ.get(name)]
    program = shutil.which("java")
    found = [Path(program).resolve().parent.parent] if program else []
    return [*named, *found, *sorted(Path("/usr/lib/jvm").glob("*"))]


def read_java(home: Path) -> Java | None:
    """Read what a Java says about itself; None when there is none."""
    release = home / "release"
    if not (release.is_file() and (home / "bin" / "java").is_file()):
        return None
    facts = dict(re.findall(r'^(\w+)="(.*)"$', release.read_text(), re.MULTILINE))
    version = int(re.split(r"\D", facts["JAVA_VERSION"])[0])
    return Java(home, version, frozenset(facts.get("MODULES", "").split()))


def wait_until_healthy(process: subprocess.Popen[bytes], folder: Path, secured: Secured | None = None) -> str:
    """Give the URL of the server once it answers that it is green; it answers 401 before it knows its users.

    :raises RuntimeError: when it ended or took too long.
    """
    deadline = time.monotonic() + SECONDS_TO_START
    ports = folder / "logs" / "http.ports"
    while time.monotonic() < deadline and process.poll() is None:
        if ports.is_file() and (lines := ports.read_text().split()):
            url = f"{'https' if secured else 'http'}://{lines[0]}"
            with contextlib.suppress(requests.RequestException):
                if requests.get(url + HEALTH, timeout=20, **access(secured)).ok:
                    return url
        time.sleep(0.3)
    raise RuntimeError(f"Elasticsearch did not start: {(folder / 'output.log').read_text()[-4000:]}")


def access(secured: Secured | None) -> dict[str, t.Any]:
    """Build what requests needs to speak to a server as its administrator."""
    return {"auth": (ADMIN, secured.password), "verify": secured.ca_path} if secured else {}


def settle(secured: Secured) -> None:
    """Let the server make the index of its users, during which it answers some requests with 401.

    :raises RuntimeError: when it cannot.
    """
    deadline = time.monotonic() + SECONDS_TO_START
    user = f"{secured.url}/_security/user/raylogs-first"
    said = ""
    while time.monotonic() < deadline:
        answers = [
            requests.put(
                user, json={"password": secrets.token_urlsafe(24), "roles": []}, timeout=60, **access(secured)
            ),
            requests.delete(user, timeout=60, **access(secured)),
        ]
        if all(answer.ok for answer in answers):
            return
        said = " ".join(answer.text for answer in answers)
        time.sleep(0.3)
    raise RuntimeError(f"Elasticsearch holds no users: {said}")


def stop(process: subprocess.Popen[bytes]) -> None:
    """End the process group of the server, politely first."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(SECONDS_TO_STOP)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
