# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Refuse roles, users, keys and tokens that cannot work: in words, before anything is changed, in check mode, too."""

from __future__ import annotations

import typing as t
from http import HTTPStatus
from urllib.parse import quote

import pytest

from tests.elasticsearch_server import running_secured_elasticsearch
from tests.secrets_of_servers import administrator, fingerprint, reach

if t.TYPE_CHECKING:
    from pathlib import Path

    from tests.elasticsearch_server import Secured
    from tests.integration.conftest import Run

Options = dict[str, t.Any]
Refused = t.Callable[..., str]
NAME = "raylogs-test"
STRONG = "correct-horse-battery-1"
ROLE, USER = "elasticsearch_role", "elasticsearch_user"
KEY, TOKEN = "elasticsearch_api_key", "elasticsearch_service_token"
MONITOR: Options = {"a": {"cluster": ["monitor"]}}


@pytest.fixture
def refused(secured: Secured, run: Run) -> Refused:
    """Run modules in check mode and for good, and make sure that both refuse and change nothing."""

    def message_of(module: str, **options: t.Any) -> str:
        asked = {"name": NAME, **reach(secured), **options}
        before = fingerprint(secured)
        foretold, done = run(module, check=True, **asked), run(module, **asked)
        assert (foretold.get("failed"), done.get("failed")) == (True, True), done
        assert foretold["msg"] == done["msg"]
        assert fingerprint(secured) == before
        assert [secret for secret in (secured.password, STRONG) if secret in str(done)] == []
        message: str = done["msg"]
        return message

    return message_of


@pytest.mark.parametrize(
    ("module", "options", "words"),
    [
        pytest.param(
            ROLE,
            {"cluster": ["monitr"]},
            ["Cannot write role 'raylogs-test'", "no privilege 'monitr' on the cluster. Did you mean 'monitor'?"],
            id="a misspelt privilege on the cluster",
        ),
        pytest.param(
            ROLE,
            {"indices": [{"names": ["a"], "privileges": ["read", "create_docs"]}]},
            ["no privilege 'create_docs' on indices. Did you mean 'create_doc'?"],
            id="a misspelt privilege on indices",
        ),
        pytest.param(
            ROLE,
            {"indices": [{"names": ["a"], "privileges": ["manage_security"]}]},
            ["It is one on the cluster: name it under cluster."],
            id="a privilege at the wrong place",
        ),
        pytest.param(ROLE, {"cluster": ["xyzzy"]}, ["Valid ones are all, "], id="a privilege like no other"),
        pytest.param(ROLE, {"name": "viewer"}, ["Role 'viewer' is built into Elasticsearch"], id="a reserved role"),
        pytest.param(
            ROLE, {"name": "viewer", "state": "absent"}, ["lets nobody change or delete it"], id="a role that stays"
        ),
        pytest.param(ROLE, {"name": "a*"}, ["Role cannot be named 'a*'"], id="a wildcard"),
        pytest.param(ROLE, {"name": "rôle"}, ["Role cannot be named 'rôle'", "of ASCII"], id="a role with an accent"),
        pytest.param(ROLE, {"name": "a" * 508}, ["takes 1 to 507 letters"], id="a long name of a role"),
        pytest.param(ROLE, {"metadata": {"_a": 1}}, ["metadata cannot hold '_a'"], id="reserved notes of a role"),
        pytest.param(
            ROLE,
            {"indices": [{"names": [], "privileges": ["read"]}]},
            ["Cannot write role 'raylogs-test': indices[0].names is empty", "or leave this entry out."],
            id="rights on nothing",
        ),
        pytest.param(
            ROLE, {"indices": [{"names": [""], "privileges": ["read"]}]}, ["indices[0].names"], id="rights on no name"
        ),
        pytest.param(
            ROLE, {"indices": [{"names": ["a"], "privileges": []}]}, ["indices[0].privileges is empty"], id="no rights"
        ),
        pytest.param(
            ROLE,
            {"indices": [{"names": ["a"], "privileges": ["read"], "field_security": {}}]},
            ["indices[0].field_security names no fields."],
            id="no fields",
        ),
        pytest.param(
            ROLE,
            {"applications": [{"application": "kibana", "privileges": ["all"], "resources": []}]},
            ["applications[0].resources is empty"],
            id="no resources",
        ),
        pytest.param(USER, {"name": "é", "roles": []}, ["User cannot be named 'é'"], id="a user with an accent"),
        pytest.param(USER, {"name": "a" * 508, "roles": []}, ["takes 1 to 507"], id="a long name of a user"),
        pytest.param(
            USER, {"roles": ["rôle"], "user_password": STRONG}, ["cannot have role 'rôle'"], id="a role of a user"
        ),
        pytest.param(
            USER,
            {"roles": [], "user_password": STRONG, "metadata": {"_a": 1}},
            ["Cannot write user 'raylogs-test': metadata cannot hold '_a'"],
            id="reserved notes of a user",
        ),
        pytest.param(USER, {"roles": []}, ["Give its first password as user_password."], id="no password"),
        pytest.param(USER, {"user_password": STRONG}, ["Name those that it has, or write []"], id="no roles"),
        pytest.param(USER, {"roles": [], "user_password": ""}, ["is empty. Make one"], id="an empty password"),
        pytest.param(
            USER,
            {"roles": [], "user_password": "Elastic-1234"},
            ["is one of those that are tried first. Make one, for instance with `openssl rand -base64 24`"],
            id="a weak password",
        ),
        pytest.param(
            USER, {"name": "kibana_system", "roles": []}, ["can be set. Leave out roles."], id="a reserved user"
        ),
        pytest.param(
            USER, {"name": "kibana_system", "state": "absent"}, ["Set enabled to false."], id="a user that stays"
        ),
        pytest.param(USER, {"name": "elastic", "enabled": False}, ["Connect as another user."], id="oneself"),
        pytest.param(
            KEY,
            {"role_descriptors": {"a": {"cluster": ["al"]}}},
            ["Cannot manage API key 'raylogs-test'", "Did you mean 'all'?"],
            id="a key with a misspelt privilege",
        ),
        pytest.param(
            KEY, {"role_descriptors": {}}, ["all rights of its owner. Name what it may do"], id="a key of all"
        ),
        pytest.param(KEY, {"role_descriptors": {"a": []}}, ["role_descriptors.a is no role"], id="a list for a role"),
        pytest.param(
            KEY, {"role_descriptors": {"a": {"clustr": []}}}, ["role_descriptors.a: clustr."], id="a misspelt option"
        ),
        pytest.param(KEY, {"expiration": "90"}, ["expiration '90' is no time."], id="a time without unit"),
        pytest.param(KEY, {"renew_before": "1d"}, ["renew_before needs expiration"], id="a renewal without end"),
        pytest.param(
            KEY, {"expiration": "1d", "renew_before": "24h"}, ["every run would make a new key"], id="renewal each time"
        ),
        pytest.param(KEY, {"metadata": {"_a": 1}}, ["metadata cannot hold '_a'"], id="reserved notes of a key"),
        pytest.param(KEY, {"name": "a" * 257}, ["takes 1 to 256 characters"], id="a long name of a key"),
        pytest.param(
            KEY, {"role_descriptors": {"é": {}}}, ["cannot be named 'é'"], id="a role with an accent, of a key"
        ),
        pytest.param(
            KEY,
            {"role_descriptors": {"a": {"indices": [{"names": ["a"], "privileges": []}]}}},
            ["role_descriptors.a: indices[0].privileges is empty"],
            id="no rights for a key",
        ),
        pytest.param(
            KEY,
            {"role_descriptors": {"a": {"metadata": {"_a": 1}}}},
            ["role_descriptors.a: metadata cannot hold '_a'"],
            id="reserved notes of a role of a key",
        ),
        pytest.param(TOKEN, {"name": "a.b"}, ["Token cannot be named 'a.b'", "'-' and '_'"], id="a dot in a token"),
        pytest.param(KEY, {"path": "keys/a"}, ["is not absolute. Write it"], id="a relative path"),
        pytest.param(
            KEY, {"path": "/etc/passwd/a"}, ["Cannot look at /etc/passwd/a: Not a directory."], id="a file for a folder"
        ),
        pytest.param(KEY, {"path": "/"}, ["/ is no file"], id="a folder for a file"),
        pytest.param(
            TOKEN, {"service": "kibanna"}, ["no such service account. Did you mean elastic/kibana?"], id="an account"
        ),
        pytest.param(TOKEN, {"namespace": "x", "service": "y"}, ["There are elastic/"], id="an account like no other"),
    ],
)
def test_refusal_changes_nothing(
    module: str, options: Options, words: list[str], refused: Refused, tmp_path: Path
) -> None:
    files: Options = {KEY: {"role_descriptors": MONITOR}, TOKEN: {}}
    file = {"path": str(tmp_path / "secret"), **files[module]} if module in files else {}
    message = refused(module, **{**file, **options})
    assert [word for word in words if word not in message] == [], message
    assert list(tmp_path.iterdir()) == []


ON_A: Options = {"names": ["a"], "privileges": ["read"]}
ON_KIBANA: Options = {"application": "kibana", "privileges": ["all"], "resources": ["*"]}
ASCII_ONLY = ("rôle", "é", "日本", " a", "a ", "a\tb", "a\x7f", "a" * 508)


def test_server_refuses_what_is_refused_for_it_and_no_less(any_secured: Secured) -> None:
    ask = administrator(any_secured)
    before = fingerprint(any_secured)
    user = {"roles": [], "password": STRONG}
    tried: list[tuple[str, str, t.Any]] = []
    for name in map(quote, ASCII_ONLY):
        tried += [("PUT", f"role/{name}", {}), ("PUT", f"user/{name}", user)]
        tried.append(("POST", f"service/elastic/kibana/credential/token/{name}", None))
    tried += [("PUT", f"user/{NAME}", {**user, "roles": [name]}) for name in ("", "é", " a")]
    tried.append(("PUT", f"user/{NAME}", {**user, "metadata": {"_a": 1}}))
    tried += [("PUT", f"{kind}/{NAME}", {**user, "metadata": {"": 1}}) for kind in ("role", "user")]
    parts: list[Options] = [
        {"indices": [{**ON_A, "names": []}]},
        {"indices": [{**ON_A, "privileges": []}]},
        {"indices": [{**ON_A, "field_security": {}}]},
        {"applications": [{**ON_KIBANA, "application": ""}]},
        {"applications": [{**ON_KIBANA, "privileges": []}]},
        {"applications": [{**ON_KIBANA, "resources": []}]},
        {"description": "a" * 1001},
    ]
    tried += [("PUT", f"role/{NAME}", part) for part in [*parts, {"metadata": {"_a": 1}}]]
    tried += [("POST", "api_key", {"name": NAME, "role_descriptors": {"a": part}}) for part in parts]
    tried += [("POST", "api_key", {"name": NAME, "role_descriptors": {name: {}}}) for name in ("", "é", " a")]
    tried.append(("POST", "api_key", {"name": NAME, "role_descriptors": MONITOR, "metadata": {"_a": 1}}))
    tried += [
        ("POST", "api_key", {"name": name, "role_descriptors": MONITOR}) for name in ("", "_a", " a", "a ", "a" * 257)
    ]
    answers = [(ask(method, f"/_security/{path}", body).status_code, path, body) for method, path, body in tried]
    assert [answer for answer in answers if answer[0] != HTTPStatus.BAD_REQUEST] == []
    assert fingerprint(any_secured) == before


@pytest.mark.parametrize("name", ["a" * 507, "Ray-logs.writer@a+b"])
def test_names_that_are_long_or_unusual_are_kept(name: str, any_secured: Secured, run: Run) -> None:
    kinds: tuple[tuple[str, Options], ...] = ((ROLE, {}), (USER, {"roles": [name], "user_password": STRONG}))
    for module, options in kinds:
        asked = {**reach(any_secured), "name": name}
        assert [run(module, **asked, **options)["changed"] for _number in range(2)] == [True, False]
        assert [run(module, **asked, state="absent")["changed"] for _number in range(2)] == [True, False]


def test_files_that_are_unsafe_or_hold_something_else(
    secured: Secured, run: Run, refused: Refused, tmp_path: Path
) -> None:
    file, other = tmp_path / "secret", tmp_path / "other"
    options: Options = {"path": str(file), "role_descriptors": MONITOR}
    run(KEY, **reach(secured), name=NAME, **{**options, "path": str(other)})
    key = other.read_text()
    try:
        file.write_text(key)
        file.chmod(0o640)
        assert "its secret may be known. Delete the file" in refused(KEY, **options)
        file.chmod(0o600)
        named = {**options, "name": "raylogs-test-too"}
        assert f"holds the API key '{NAME}', which is still valid." in refused(KEY, **named)
        assert "which is still valid" in refused(KEY, **{**named, "state": "absent"})
        file.write_text("something else\n")
        assert "holds something that is no API key" in refused(KEY, **options)
        assert "no token of a service account" in refused(TOKEN, path=str(file))
        assert file.read_text() == "something else\n"
        file.unlink()
        tmp_path.chmod(0o770)
        assert "Run: chmod go-w" in refused(KEY, **options)
    finally:
        tmp_path.chmod(0o700)
        run(KEY, **reach(secured), name=NAME, state="absent", path=str(other))


def test_who_may_not_make_keys(secured: Secured, run: Run, refused: Refused, tmp_path: Path) -> None:
    options: Options = {"path": str(tmp_path / "secret"), "role_descriptors": MONITOR}
    by_key: Options = {"url": [secured.url], "ca_path": secured.ca_path, "api_key": "aWQ6a2V5"}
    told = run(KEY, **by_key, name=NAME, **options)["msg"]
    assert "by another API key: Elasticsearch gives what a key makes no rights. Connect with username" in told
    run(USER, **reach(secured), name=NAME, roles=["viewer"], user_password=STRONG)
    try:
        as_user = {**options, "username": NAME, "password": STRONG}
        message = refused(KEY, **as_user)
    finally:
        run(USER, **reach(secured), name=NAME, state="absent")
    assert "Give this user a role with the cluster privilege manage_own_api_key" in message
    assert list(tmp_path.iterdir()) == []


def test_only_a_trusted_server_is_spoken_to(secured: Secured, run: Run) -> None:
    untrusted = {key: value for key, value in reach(secured).items() if key != "ca_path"}
    assert "as ca_path." in run(USER, **untrusted, name=NAME, state="absent")["msg"]


@pytest.fixture(scope="module")
def restricted() -> t.Iterator[Secured]:
    """Give a server without keys and without a realm of its own, and without the plugin that users need."""
    realm = "xpack.security.authc.realms.native.native1"
    settings = {"xpack.security.authc.api_key.enabled": "false", f"{realm}.enabled": "false", f"{realm}.order": "0"}
    with running_secured_elasticsearch(settings=settings, plugin=False) as server:
        yield server


def test_server_that_is_restricted(restricted: Secured, run: Run, tmp_path: Path) -> None:
    def message(module: str, *, check: bool = True, **options: t.Any) -> str:
        said: str = run(module, check=check, **reach(restricted), name=NAME, **options)["msg"]
        return said

    file = str(tmp_path / "secret")
    told = message(KEY, path=file, role_descriptors=MONITOR)
    assert "api keys are not enabled. Set xpack.security.authc.api_key.enabled to true" in told
    told = message(USER, roles=[], user_password=STRONG)
    assert "realms.native.native1.enabled is false on this server, so that such users cannot sign in. Take it" in told
    assert "without users, roles and API keys of its own" in message(ROLE)
    told = message(TOKEN, check=False, path=file)
    assert "This is a reduced distribution, which can hold neither users nor roles nor keys" in told
    assert list(tmp_path.iterdir()) == []
    assert administrator(restricted)("GET", "/_security/role/raylogs-test").status_code == 404
