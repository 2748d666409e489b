# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role ray_log_access and the rotation of keys, on a real server with TLS and users (analysis plugin)."""

from __future__ import annotations

import contextlib
import json
import secrets
import threading
import typing as t
from http import HTTPStatus
from pathlib import Path

import pytest
import requests

from tests.integration.conftest import results_by_task, run_playbook

if t.TYPE_CHECKING:
    from tests.elasticsearch_server import Secured
    from tests.integration.conftest import Play, Result

ROLE = {"ansible.builtin.include_role": {"name": "raylogs.efk.ray_log_access"}}
CONTENT = {"ansible.builtin.include_role": {"name": "raylogs.efk.ray_log_content"}}
SESSION = Path(__file__).resolve().parents[2] / "demo" / "session.tar.xz"
STREAMS = [f"ray-logs-{name}-default" for name in ("app", "event", "system")]
EVENT = {"@timestamp": "2026-11-23T10:00:00.000Z", "message": "hello"}
ROLES = ["ray-logs-collector-default", "ray-logs-content", "ray-logs-importer-default", "ray-logs-reader-default"]
PASSWORD = secrets.token_urlsafe(18)
USERS = [
    {"name": "maintainer", "password": PASSWORD, "purposes": ["content"]},
    {"name": "reader", "password": PASSWORD, "purposes": ["reader"], "full_name": "Reads"},
]


class Applied(t.NamedTuple):
    """How a run of the role ended."""

    changed: int
    failed: str
    results: dict[str, Result]


class Apply(t.Protocol):
    """Run a role with these variables."""

    def __call__(self, *arguments: str, role: t.Any = ROLE, **variables: t.Any) -> Applied:
        """Run it."""


def summarise(results: dict[str, Result]) -> Applied:
    """Count what changed and gather what failed."""
    single = [one for result in results.values() for one in result.get("results", [result])]
    failed = [str(one.get("msg")) for one in single if one.get("failed")]
    return Applied(sum(bool(result.get("changed")) for result in results.values()), "".join(failed), results)


class SignIn(t.Protocol):
    """Be this user from now on, for modules that read the environment."""

    def __call__(self, name: str) -> None:
        """Sign in."""


Ask = t.Callable[..., requests.Response]


@pytest.fixture
def sign_in(secured: Secured, monkeypatch: pytest.MonkeyPatch) -> SignIn:
    """Change who the environment says that modules are."""

    def change(name: str) -> None:
        monkeypatch.setenv("ELASTICSEARCH_USERNAME", name)
        monkeypatch.setenv("ELASTICSEARCH_PASSWORD", secured.password if name == "elastic" else PASSWORD)

    return change


@pytest.fixture
def apply(play: Play, secured: Secured, sign_in: SignIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Apply:
    """Apply a role to the secured server, with its keys in a folder of this test, at first as the bootstrap user."""
    monkeypatch.setenv("ELASTICSEARCH_URL", secured.url)
    monkeypatch.setenv("ELASTICSEARCH_CA_PATH", str(secured.ca_path))
    sign_in("elastic")

    def run(*arguments: str, role: t.Any = ROLE, **variables: t.Any) -> Applied:
        given = {"raylogs_secrets_dir": str(tmp_path / "secrets"), **variables}
        return summarise(play([{"name": "Apply the role", **role, "vars": given}], "--diff", *arguments))

    return run


@pytest.fixture
def ask(secured: Secured) -> Ask:
    """Send a request to the server, as its bootstrap user unless an API key or another user is given."""

    def send(method: str, path: str, body: t.Any = None, key: str = "", user: str = "elastic") -> requests.Response:
        password = secured.password if user == "elastic" else PASSWORD
        signed: t.Any = {"headers": {"authorization": f"ApiKey {key}"}} if key else {"auth": (user, password)}
        return requests.request(
            method, secured.url + path, json=body, verify=str(secured.ca_path), timeout=60, **signed
        )

    return send


@pytest.fixture
def import_with(secured: Secured, monkeypatch: pytest.MonkeyPatch) -> t.Callable[[str], Result]:
    """Import the bundled session by the playbook, with an API key."""
    monkeypatch.setenv("ELASTICSEARCH_URL", secured.url)

    def run(key: str) -> Result:
        monkeypatch.delenv("ELASTICSEARCH_USERNAME", raising=False)
        monkeypatch.delenv("ELASTICSEARCH_PASSWORD", raising=False)
        monkeypatch.setenv("ELASTICSEARCH_API_KEY", key)
        extra = json.dumps({"raylogs_import_path": str(SESSION), "raylogs_import_cluster": "access"})
        imported = results_by_task(run_playbook("--extra-vars", extra, "raylogs.efk.import_session"))
        monkeypatch.delenv("ELASTICSEARCH_API_KEY")
        assert [result["msg"] for result in imported.values() if result.get("failed")] == []
        return imported["Import the logs"]

    return run


class Rotate(t.Protocol):
    """Rotate the keys with these variables."""

    def __call__(self, **variables: t.Any) -> Applied:
        """Rotate them."""


@pytest.fixture
def rotate(apply: Apply, tmp_path: Path) -> Rotate:
    """Run the playbook that rotates keys."""
    assert apply

    def run(**variables: t.Any) -> Applied:
        extra = json.dumps({"raylogs_secrets_dir": str(tmp_path / "secrets"), **variables})
        printed = run_playbook("--extra-vars", extra, "raylogs.efk.rotate_api_keys")
        plays = json.loads(printed)["plays"]
        return summarise({task["task"]["name"]: task["hosts"]["localhost"] for each in plays for task in each["tasks"]})

    return run


@contextlib.contextmanager
def writing(server: Secured, key: Path) -> t.Iterator[list[int]]:
    """Ask the server again and again, each time with the key as the file has it then; gather the answers."""
    answers: list[int] = []
    ended = threading.Event()

    def work() -> None:
        while not ended.is_set():
            headers = {"authorization": f"ApiKey {key.read_text().strip()}"}
            answer = requests.get(f"{server.url}/_cluster/health", headers=headers, verify=server.ca_path, timeout=60)
            answers.append(answer.status_code)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield answers
    finally:
        ended.set()
        thread.join()


def status(ask: Ask, key: str) -> int:
    """Ask how the cluster is with a key."""
    return ask("GET", "/_cluster/health", None, key).status_code


def key_of(folder: Path, purpose: str) -> str:
    """Read the key of a purpose."""
    return (folder / "secrets/raylogs/api_keys" / f"ray-logs-{purpose}-default").read_text().strip()


def check_collector(ask: Ask, key: str) -> None:
    """Demand that who steals the key of a collector can add events to the streams of its tenant, and nothing else."""
    for stream in STREAMS:
        assert ask("POST", f"/{stream}/_create/once", EVENT, key).status_code == HTTPStatus.CREATED
        assert ask("GET", f"/{stream}/_search", None, key).status_code == HTTPStatus.FORBIDDEN
        assert ask("GET", f"/{stream}/_mapping", None, key).status_code == HTTPStatus.FORBIDDEN
        assert ask("PUT", f"/{stream}/_doc/once", EVENT, key).status_code >= HTTPStatus.BAD_REQUEST
        assert ask("POST", f"/{stream}/_rollover", None, key).status_code == HTTPStatus.FORBIDDEN
        assert ask("DELETE", f"/_data_stream/{stream}", None, key).status_code >= HTTPStatus.BAD_REQUEST
    for path in ("/ray-logs-app-other/_doc", "/ray-logs-app-default-2/_doc", "/elsewhere/_doc"):
        assert ask("POST", path, EVENT, key).status_code == HTTPStatus.FORBIDDEN
    assert ask("GET", "/_cluster/health", None, key).status_code == HTTPStatus.OK
    for method, path in (("GET", "/_security/user"), ("DELETE", "/_index_template/ray-logs-app-default")):
        assert ask(method, path, None, key).status_code == HTTPStatus.FORBIDDEN
    everything = ask("GET", "/_search", None, key)
    assert everything.status_code == HTTPStatus.FORBIDDEN or everything.json()["hits"]["hits"] == []
    assert ask("POST", "/_security/api_key", {"name": "more"}, key).status_code >= HTTPStatus.BAD_REQUEST


def check_reader(ask: Ask) -> None:
    """Demand that a reader finds the events of the tenant, sees no other's, and writes nothing."""
    found = ask("GET", "/ray-logs-*/_search", user="reader").json()["hits"]
    assert found["total"]["value"] > 0
    assert {hit["_index"].split("-")[4] for hit in found["hits"]} == {"default"}
    assert ask("GET", "/ray-logs-app-other/_search", user="reader").status_code == HTTPStatus.FORBIDDEN
    assert ask("POST", f"/{STREAMS[0]}/_doc", EVENT, user="reader").status_code == HTTPStatus.FORBIDDEN


def check_importer(import_with: t.Callable[[str], Result], key: str) -> None:
    """Demand that an importer can import, and finds what is there already."""
    first = import_with(key)
    assert first["totals"]["stored"] == first["totals"]["events"] > 0, first
    again = import_with(key)
    assert (again["totals"]["stored"], again["totals"]["already_present"]) == (0, first["totals"]["stored"])


def test_access_is_declared_used_and_removed(
    apply: Apply, ask: Ask, sign_in: SignIn, import_with: t.Callable[[str], Result], tmp_path: Path
) -> None:
    folder = tmp_path / "secrets/raylogs/api_keys"
    foretold = apply("--check", ray_log_access_users=USERS)
    assert (foretold.changed, foretold.failed) == (4, "")
    assert not folder.exists()
    assert ask("GET", "/_security/role/ray-logs-content").status_code == HTTPStatus.NOT_FOUND

    first = apply(ray_log_access_users=USERS)
    assert (first.changed, first.failed) == (4, "")
    assert apply(ray_log_access_users=USERS).changed == 0
    assert sorted(path.name for path in folder.iterdir()) == [ROLES[0], ROLES[2]]
    assert [path.stat().st_mode & 0o077 for path in folder.iterdir()] == [0, 0]
    for secret in (PASSWORD, key_of(tmp_path, "collector"), key_of(tmp_path, "importer")):
        assert secret not in json.dumps([foretold.results, first.results])

    sign_in("maintainer")
    for tenant in ("default", "other"):
        declared = apply(role=CONTENT, raylogs_tenant=tenant)
        assert (declared.changed, declared.failed) == (1, "")
        assert apply(role=CONTENT, raylogs_tenant=tenant).changed == 0
    # Reduced archives make streams with their first event only.
    for stream in (*STREAMS, "ray-logs-app-other"):
        assert ask("POST", f"/{stream}/_doc?refresh", EVENT).status_code == HTTPStatus.CREATED
    check_collector(ask, key_of(tmp_path, "collector"))
    check_reader(ask)
    check_importer(import_with, key_of(tmp_path, "importer"))

    sign_in("elastic")
    removed = apply(ray_log_access_state="absent", ray_log_access_users=USERS)
    assert removed.failed == ""
    assert list(folder.iterdir()) == []
    left = [name for name in ask("GET", "/_security/role").json() if name.startswith("ray-logs")]
    assert left == ["ray-logs-content"]
    assert ask("GET", "/_security/user/reader").status_code == HTTPStatus.NOT_FOUND
    assert apply(ray_log_access_state="absent", ray_log_access_users=USERS).changed == 0


def test_keys_are_rotated_while_one_is_in_use(
    secured: Secured, apply: Apply, ask: Ask, rotate: Rotate, tmp_path: Path
) -> None:
    assert apply().failed == ""
    former = key_of(tmp_path, "collector")
    assert rotate().changed == 0, "none is due"
    assert key_of(tmp_path, "collector") == former

    # What runs on the former keys cannot be given the new ones: nothing is invalidated.
    tasks = tmp_path / "tasks.yml"
    tasks.write_text(json.dumps([{"name": "Give the key", "ansible.builtin.fail": {"msg": "out of order"}}]))
    stuck = rotate(raylogs_rotate="all", raylogs_rotate_tasks=str(tasks))
    assert (stuck.changed, stuck.failed) == (1, "out of order")
    following = key_of(tmp_path, "collector")
    assert following != former
    assert [status(ask, key) for key in (former, following)] == [HTTPStatus.OK] * 2

    # Neither are they when nobody, or not everybody, is given the new ones.
    nobody = rotate(raylogs_rotate="all", raylogs_rotate_tasks=str(tasks), raylogs_rotate_hosts="strangers")
    assert "which no host of the inventory matches" in nobody.failed
    assert key_of(tmp_path, "collector") == following

    # A writer reads the key where the tasks put it, and is never refused.
    used = tmp_path / "used"
    used.write_text(following)
    copy = {"src": str(tmp_path / "secrets/raylogs/api_keys/ray-logs-collector-default"), "dest": str(used)}
    tasks.write_text(json.dumps([{"name": "Give the key", "ansible.builtin.copy": {**copy, "mode": "0600"}}]))
    with writing(secured, used) as answers:
        done = rotate(raylogs_rotate="all", raylogs_rotate_tasks=str(tasks))
    assert done.failed == ""
    assert len(answers) > 0
    assert set(answers) == {HTTPStatus.OK}
    newest = key_of(tmp_path, "collector")
    assert [status(ask, key) for key in (former, following)] == [HTTPStatus.UNAUTHORIZED] * 2
    assert status(ask, newest) == HTTPStatus.OK

    # The run that only ends former keys makes none, not even where a file is gone.
    (tmp_path / "secrets/raylogs/api_keys/ray-logs-collector-default").unlink()
    assert "renew is never, which makes no key" in rotate(raylogs_rotate_invalidates="true").failed
    assert status(ask, newest) == HTTPStatus.OK
    assert apply(ray_log_access_state="absent").failed == ""


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        pytest.param({"raylogs_tenant": "a-b"}, "raylogs_tenant 'a-b'", id="a tenant that is no word"),
        pytest.param({"ray_log_access_keys": ["writer"]}, "writer", id="a purpose that is none"),
        pytest.param(
            {"ray_log_access_users": [{"name": "u", "password": "short", "purposes": ["reader"]}]},
            "has fewer than 12 characters",
            id="a weak password",
        ),
        pytest.param({"ray_log_access_key_expiration": "soon"}, "soon", id="a time that is none"),
    ],
)
def test_what_cannot_be_is_refused(apply: Apply, variables: dict[str, t.Any], words: str) -> None:
    assert words in apply(**variables).failed


def test_a_reduced_distribution_is_refused(elasticsearch: str, apply: Apply, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ELASTICSEARCH_URL", elasticsearch)
    assert "can hold neither users nor roles nor API keys" in apply().failed
