# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Manage roles, users, keys and tokens of real servers: check mode first, each step twice, no secret shown."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import time
import typing as t

import pytest

from tests.secrets_of_servers import Asking, administrator, fingerprint, reach
from tests.steps import Kind, Options, Step, take

if t.TYPE_CHECKING:
    from pathlib import Path

    from tests.elasticsearch_server import Secured
    from tests.integration.conftest import Run

NAME = "raylogs-test"
ALWAYS = "always"
FIRST, SECOND = "correct-horse-battery-1", "Staple+9-horse-correct"
RIGHTS: Options = {"names": ["app-b", "app-a"], "privileges": ["READ", "create_doc"]}
RIGHTS_SHOWN: Options = {"names": ["app-a", "app-b"], "privileges": ["create_doc", "read"]}
FULL_RIGHTS: Options = {
    "names": "app-*",
    "privileges": "read",
    "query": {"term": {"tenant": "a"}},
    "field_security": {"grant": ["b*", "a"], "except": ["b1"]},
    "allow_restricted_indices": False,
}
FULL_RIGHTS_SHOWN: Options = {
    "names": ["app-*"],
    "privileges": ["read"],
    "query": {"term": {"tenant": "a"}},
    "field_security": {"grant": ["a", "b*"], "except": ["b1"]},
}
KIBANA: Options = {"application": "kibana-.kibana", "privileges": ["read", "feature_x.all"], "resources": ["*"]}
KIBANA_SHOWN: Options = {**KIBANA, "privileges": ["feature_x.all", "read"]}


def live(kind: Kind, steps: list[Step], server: Secured, run: Run, secrets: list[str]) -> list[Options]:
    """Take all steps, and give what the module returned after each; no secret is in it."""
    asked = kind._replace(always={**reach(server), **kind.always})
    returned = []
    for step in steps:
        taken = take(asked, step, run, lambda: fingerprint(server))
        shown = json.dumps(taken)
        assert [secret for secret in [*secrets, server.password] if secret in shown] == []
        returned.append(taken.done)
    return returned


@pytest.fixture
def licensed(any_secured: Secured) -> Secured:
    """Give a server whose licence covers fields and documents: a trial, which starts once."""
    administrator(any_secured)("POST", "/_license/start_trial?acknowledge=true")
    return any_secured


def test_life_of_a_role(licensed: Secured, run: Run) -> None:
    notes: Options = {"description": "for tests"} if licensed.version >= (8, 15) else {}
    first: Options = {
        "cluster": ["monitor"],
        "indices": [RIGHTS, FULL_RIGHTS],
        "applications": [KIBANA],
        "metadata": {"a": 1},
    }
    shown = {
        "cluster": ["monitor"],
        "indices": [FULL_RIGHTS_SHOWN, RIGHTS_SHOWN],
        "applications": [KIBANA_SHOWN],
        "metadata": {"a": 1},
    }
    # The same query as text, everything in another order: no change.
    text = {**FULL_RIGHTS, "query": '{"term": {"tenant": "a"}}'}
    other: Options = {"cluster": ["manage_ilm", "monitor"], "indices": [text, RIGHTS], "run_as": ["b", "a"], **notes}
    other_shown = {
        "cluster": ["manage_ilm", "monitor"],
        "indices": [FULL_RIGHTS_SHOWN, RIGHTS_SHOWN],
        "run_as": ["a", "b"],
        **notes,
    }
    steps = [
        Step(first, {}, shown),
        Step(other, shown, other_shown),
        Step({}, other_shown, {}),
        Step({"state": "absent"}, {}, {}),
    ]
    kind = Kind("elasticsearch_role", "role", f"role '{NAME}'", {"name": NAME})
    returned = live(kind, steps[:2], licensed, run, [])
    assert returned[0]["role"]["indices"][1]["query"] == '{"term":{"tenant":"a"}}'
    asked = {**reach(licensed), "name": NAME}
    reordered = run("elasticsearch_role", **asked, **{**other, "run_as": ["a", "b"], "indices": [RIGHTS, text]})
    assert not reordered["changed"]
    listed = run("elasticsearch_role_info", **reach(licensed), name=[f"{NAME}*"])["roles"]
    assert [{**role, **returned[1]["role"]} for role in listed] == listed
    live(kind, steps[2:], licensed, run, [])
    assert run("elasticsearch_role_info", **reach(licensed), name=[NAME])["roles"] == []


def test_life_of_a_user(any_secured: Secured, run: Run) -> None:
    asking = Asking(any_secured)
    shown: Options = {"roles": ["monitoring_user", "viewer"], "enabled": True, "full_name": "A", "metadata": {"b": 1}}
    first = {"roles": ["viewer", "monitoring_user"], "user_password": FIRST, "full_name": "A", "metadata": {"b": 1}}
    second = {"roles": [], "user_password": SECOND, "email": "a@example.com"}
    second_shown: Options = {"roles": [], "enabled": True, "email": "a@example.com"}
    disabled = {**second_shown, "enabled": False}
    kind = Kind("elasticsearch_user", "user", f"user '{NAME}'", {"name": NAME})
    secrets = [FIRST, SECOND]

    live(kind, [Step(first, {}, {**shown, "password": "set by this run"})], any_secured, run, secrets)
    assert asking.as_user(NAME, FIRST)("GET", "/_security/_authenticate").ok
    # Another password is none of on_create's business.
    live(kind, [Step(second, shown, second_shown)], any_secured, run, secrets)
    assert asking.as_user(NAME, FIRST)("GET", "/_security/_authenticate").ok
    always: Options = {**second, "update_password": "always"}
    after = {**second_shown, "password": "set by this run"}
    live(kind, [Step(always, second_shown, after)], any_secured, run, secrets)
    assert asking.as_user(NAME, SECOND)("GET", "/_security/_authenticate").ok
    off: Options = {**second, "enabled": False}
    live(kind, [Step(off, second_shown, disabled)], any_secured, run, secrets)
    unseen = run("elasticsearch_user", **reach(any_secured), name=NAME, **off, update_password=ALWAYS)
    assert (unseen["changed"], "a disabled user cannot sign in" in str(unseen["warnings"])) == (False, True)
    on = {**always, "user_password": FIRST, "enabled": True}
    live(kind, [Step(on, disabled, after)], any_secured, run, secrets)
    assert asking.as_user(NAME, FIRST)("GET", "/_security/_authenticate").ok
    listed = run("elasticsearch_user_info", **reach(any_secured), name=[NAME, "elastic"])["users"]
    assert [(user["name"], user["roles"]) for user in listed] == [("elastic", ["superuser"]), (NAME, [])]
    live(kind, [Step({"state": "absent"}, second_shown, {})], any_secured, run, secrets)


def test_user_that_is_built_in(any_secured: Secured, run: Run) -> None:
    asking = Asking(any_secured)
    shown = {"roles": ["beats_system"], "metadata": {"_reserved": True}, "enabled": True}
    always: Options = {"name": "beats_system", "user_password": FIRST}
    kind = Kind("elasticsearch_user", "user", "user 'beats_system'", always)
    assert not run(kind.module, **reach(any_secured), **kind.always)["changed"]
    set_it = Step({"update_password": "always"}, shown, {**shown, "password": "set by this run"})
    live(kind, [set_it], any_secured, run, [FIRST])
    assert asking.as_user("beats_system", FIRST)("GET", "/_security/_authenticate").ok
    off = {**shown, "enabled": False}
    live(kind, [Step({"enabled": False}, shown, off), Step({"enabled": True}, off, shown)], any_secured, run, [FIRST])


def test_user_who_changes_its_own_password(secured: Secured, run: Run) -> None:
    module = "elasticsearch_user"
    user: Options = {"name": NAME, "roles": ["superuser"]}
    always: Options = {"user_password": SECOND, "update_password": "always"}
    run(module, **reach(secured), **user, user_password=FIRST)
    as_user = {**reach(secured), "username": NAME, "password": FIRST}
    try:
        done = run(module, **as_user, **user, **always)
        as_user["password"] = SECOND
        again = run(module, **as_user, **user, **always)
        itself: Options
        for itself in ({"state": "absent"}, {"roles": [], "enabled": False}):
            assert "Connect as another user." in run(module, **as_user, name=NAME, **itself)["msg"]
    finally:
        run(module, **reach(secured), name=NAME, state="absent")
    assert (done.get("changed"), again.get("changed")) == (True, False), (done, again)


def test_role_that_does_not_exist_is_a_warning(secured: Secured, run: Run) -> None:
    user = {**reach(secured), "name": NAME, "roles": ["viewer", "viewr"], "user_password": FIRST}
    foretold = run("elasticsearch_user", check=True, **user)
    assert "has roles that do not exist and give it nothing: viewr. Create them" in str(foretold["warnings"])


class KeyLife(t.NamedTuple):
    """A server, the file of a key, and what the module is always given."""

    server: Secured
    run: Run
    file: Path
    asked: Options

    def step(self, **more: t.Any) -> Options:
        """Foretell a change, make it, repeat it; the server changes once, and no secret is shown."""
        module, found = "elasticsearch_api_key", self.state()
        foretold = self.run(module, check=True, **self.asked, **more)
        assert self.state() == found
        done = self.run(module, **self.asked, **more)
        now = self.state()
        again = self.run(module, **self.asked, **more)
        checked = self.run(module, check=True, **self.asked, **more)
        assert self.state() == now != found
        assert [one["changed"] for one in (foretold, done, again, checked)] == [True, True, False, False], done
        assert (foretold["diff"], foretold["reason"]) == (done["diff"], done["reason"])
        text = json.dumps([foretold, done, again, checked])
        assert [secret for secret in [*plain(found[1] or ""), *plain(now[1] or "")] if secret in text] == []
        return done

    def state(self) -> tuple[list[t.Any], str | None]:
        """Read what the server and the file hold."""
        return fingerprint(self.server), contents(self.file)

    def status(self, encoded: str) -> int:
        """Sign in by a key and give the status of the answer."""
        return Asking(self.server).as_key(encoded)("GET", "/_security/_authenticate").status_code


def test_life_of_an_api_key(any_secured: Secured, run: Run, tmp_path: Path) -> None:
    file = tmp_path / "keys" / NAME
    rights = {"writer": {"cluster": ["monitor"], "index": [{"names": "app", "privileges": ["create_doc"]}]}}
    shown = {"writer": {"cluster": ["monitor"], "indices": [{"names": ["app"], "privileges": ["create_doc"]}]}}
    other: Options = {"writer": {"indices": [{"names": ["app"], "privileges": ["create_doc"]}]}}
    options: Options = {"name": NAME, "path": str(file), "expiration": "90d", "renew_before": "30d"}
    life = KeyLife(any_secured, run, file, {**reach(any_secured), **options})

    done = life.step(role_descriptors=rights)
    assert (done["reason"], done["diff"]["before"]) == ("there is no key of this name in the file", {})
    after = {"id": "a new one", "active": ["a new one"], "metadata": {}, "expiration": "90d"}
    assert done["diff"]["after"] == {**after, "role_descriptors": shown}
    assert (oct(file.stat().st_mode), oct(file.parent.stat().st_mode)) == ("0o100600", "0o40700")
    first = contents(file) or ""
    assert file.read_text() == f"{first}\n"
    assert run("elasticsearch_api_key", **life.asked, role_descriptors=shown)["changed"] is False

    # What the key may do is changed in place where the server can, else by another key.
    done = life.step(role_descriptors=other, metadata={"a": 1})
    before, after = done["diff"]["before"], done["diff"]["after"]
    assert (before["metadata"], after["metadata"], after["role_descriptors"]) == ({}, {"a": 1}, other)
    in_place = any_secured.version >= (8, 4)
    assert (before["role_descriptors"] == shown, contents(file) == first) == (in_place, in_place)
    assert ("this server changes no key" in done["reason"]) == (not in_place)

    # The former key goes on until it ends, or is invalidated on purpose.
    keep: Options = {"role_descriptors": other, "metadata": {"a": 1}}
    life.asked["expiration"] = "91d"
    assert life.step(**keep)["reason"] == "the key of the file was made for another time"
    second = contents(file) or ""
    assert (life.status(first), life.status(second)) == (200, 200)
    assert len(life.step(**keep, invalidate_others=True)["invalidated"]) == (1 if in_place else 2)
    assert (life.status(first), life.status(second)) == (401, 200)

    listed = run("elasticsearch_api_key_info", **reach(any_secured), name=[f"{NAME}*"])["api_keys"]
    assert [(key["id"], key["days_left"], key["metadata"]) for key in listed] == [(id_of(second), 90, {"a": 1})]
    everything = run("elasticsearch_api_key_info", **reach(any_secured), name=[NAME], active_only=False, owner=True)
    assert {key["active"] for key in everything["api_keys"]} == {True, False}

    assert life.step(state="absent")["invalidated"] == [id_of(second)]
    assert (file.exists(), life.status(second)) == (False, 401)


def contents(file: Path) -> str | None:
    """Read a file, if there is one."""
    return file.read_text().strip() if file.exists() else None


def plain(encoded: str) -> list[str]:
    """Give an encoded key and the secret in it, if there is one."""
    return [encoded, base64.b64decode(encoded).decode().partition(":")[2]] if encoded else []


def id_of(encoded: str) -> str:
    """Give the id of an encoded key."""
    return base64.b64decode(encoded).decode().partition(":")[0]


PROGRAM = """
import importlib, json, sys
from ansible.module_utils.testing import patch_module_args
program = importlib.import_module("ansible_collections.raylogs.efk.plugins.modules." + sys.argv[1])
with patch_module_args(json.loads(sys.stdin.readline())):
    program.main()
"""


def run_at_once(module: str, options: Options) -> list[Options]:
    """Run a module in three processes at the same time and give what each returned."""
    command = [sys.executable, "-c", PROGRAM, module]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    pipes: Options = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    runs = [subprocess.Popen(command, env=environment, **pipes) for _number in range(3)]
    for each in runs:
        assert each.stdin
        each.stdin.write(f"{json.dumps(options)}\n")
        each.stdin.flush()
    return [json.loads(each.communicate()[0]) for each in runs]


@pytest.mark.parametrize("module", ["elasticsearch_api_key", "elasticsearch_service_token"])
def test_runs_at_once_make_one_secret(module: str, secured: Secured, run: Run, tmp_path: Path) -> None:
    file = tmp_path / "keys" / NAME
    asked = {**reach(secured), "name": NAME, "path": str(file)}
    rights: Options = {"role_descriptors": {"a": {"cluster": ["monitor"]}}} if module.endswith("key") else {}
    answers = run_at_once(module, {**asked, **rights})
    assert sorted(answer["changed"] for answer in answers) == [False, False, True], answers
    assert list(file.parent.iterdir()) == [file]
    gone = run_at_once(module, {**asked, "state": "absent"})
    assert sorted(answer["changed"] for answer in gone) == [False, False, True], gone
    assert len([one for answer in gone for one in answer.get("invalidated", [])]) == len(rights)
    assert not run(module, **asked, state="absent")["changed"]


def test_key_that_no_longer_serves_is_replaced(secured: Secured, run: Run, tmp_path: Path) -> None:
    file, keys = tmp_path / NAME, Asking(secured)
    asked = {**reach(secured), "name": NAME, "path": str(file), "role_descriptors": {"a": {"cluster": ["monitor"]}}}

    def renewed(**options: t.Any) -> str:
        former = contents(file)
        done = run("elasticsearch_api_key", **{**asked, **options})
        assert done["changed"] == (former != contents(file))
        reason: str = done["reason"]
        return reason

    assert renewed(expiration="60s", renew_before="59s")
    soon = contents(file) or ""
    time.sleep(1.1)
    assert renewed(expiration="60s", renew_before="59s") == "the key of the file ends soon"
    assert keys.as_key(soon)("GET", "/_security/_authenticate").ok
    assert renewed(expiration="1s") == "the key of the file was made for another time"
    time.sleep(1.1)
    assert renewed(expiration="1s") == "the key of the file has ended"
    assert renewed()
    assert renewed() == ""
    file.write_text(base64.b64encode(f"{id_of(contents(file) or '')}:another-secret".encode()).decode())
    assert renewed() == "the key of the file is not valid"
    administrator(secured)("DELETE", "/_security/api_key", {"ids": [id_of(contents(file) or "")]})
    assert renewed() == "the key of the file was invalidated"
    assert renewed() == ""
    run("elasticsearch_api_key", **asked, state="absent")
    assert run("elasticsearch_api_key_info", **reach(secured), name=[NAME])["api_keys"] == []


def test_key_of_another_owner_is_left_and_named(secured: Secured, run: Run, tmp_path: Path) -> None:
    file = tmp_path / NAME
    user: Options = {"name": NAME, "roles": ["superuser"], "user_password": FIRST}
    asked: Options = {"name": NAME, "path": str(file), "role_descriptors": {"a": {"cluster": ["monitor"]}}}
    run("elasticsearch_user", **reach(secured), **user)
    as_user = {**reach(secured), "username": NAME, "password": FIRST}
    try:
        run("elasticsearch_api_key", **as_user, **asked)
        former = contents(file) or ""
        done = run("elasticsearch_api_key", **reach(secured), **asked)
        assert f"belongs to user '{NAME}' and stays valid" in str(done["warnings"])
        assert Asking(secured).as_key(former)("GET", "/_security/_authenticate").ok
    finally:
        run("elasticsearch_api_key", **reach(secured), **asked, state="absent")
        run("elasticsearch_api_key", **as_user, name=NAME, state="absent")
        run("elasticsearch_user", **reach(secured), name=NAME, state="absent")


def test_life_of_a_service_token(any_secured: Secured, run: Run, tmp_path: Path) -> None:
    file = tmp_path / "tokens" / NAME
    always: Options = {"name": NAME, "path": str(file)}
    kind = Kind("elasticsearch_service_token", "service_token", f"token '{NAME}' of elastic/kibana", always)
    live(kind, [Step({}, {}, always)], any_secured, run, [])
    token = contents(file) or ""
    assert (oct(file.stat().st_mode), oct(file.parent.stat().st_mode)) == ("0o100600", "0o40700")
    answer = Asking(any_secured).as_bearer(token)("GET", "/_security/_authenticate").json()
    assert answer["username"] == "elastic/kibana"
    listed = run("elasticsearch_service_token_info", **reach(any_secured))["service_tokens"]
    assert listed == [{"name": NAME, "nodes": []}]
    # A token that exists, but not in the file, is never replaced.
    kept = file.rename(tmp_path / "kept")
    refused = run(kind.module, **reach(any_secured), **always)
    assert "does not hold it, and nobody can read it again. Put the file back" in refused["msg"]
    assert not file.exists()
    kept.rename(file)
    live(kind, [Step({"state": "absent"}, always, {})], any_secured, run, [token])
    assert not file.exists()
    assert Asking(any_secured).as_bearer(token)("GET", "/_security/_authenticate").status_code == 401


def test_a_stolen_key_or_user_may_only_add_to_its_stream(any_secured: Secured, run: Run, tmp_path: Path) -> None:
    mine, other = ("raylogs-test-app-mine", "raylogs-test-app-other")
    admin, asking = administrator(any_secured), Asking(any_secured)
    # Fields are declared: to add one is none of the collector's rights.
    fields = {"mappings": {"properties": {"@timestamp": {"type": "date"}, "message": {"type": "text"}}}}
    is_stream = any_secured.version >= (8,)
    if is_stream:
        streams = {"index_patterns": ["raylogs-test-app-*"], "data_stream": {}, "priority": 500, "template": fields}
        admin("PUT", "/_index_template/raylogs-test-app", streams).raise_for_status()
    for name in (mine, other):
        first = {"@timestamp": "2026-01-01"}
        answer = admin("POST", f"/{name}/_doc", first) if is_stream else admin("PUT", f"/{name}", fields)
        answer.raise_for_status()
    rights: Options = {"cluster": ["monitor"], "indices": [{"names": [mine], "privileges": ["create_doc"]}]}
    file = tmp_path / NAME
    key: Options = {"name": NAME, "path": str(file), "role_descriptors": {"collector": rights}}
    run("elasticsearch_api_key", **reach(any_secured), **key)
    run("elasticsearch_role", **reach(any_secured), name=NAME, **rights)
    run("elasticsearch_user", **reach(any_secured), name=NAME, roles=[NAME], user_password=FIRST)
    event = {"@timestamp": "2026-01-01T00:00:00Z", "message": "m"}
    lines = '{"create":{}}\n' + json.dumps(event) + "\n"
    for ask in (asking.as_key(contents(file) or ""), asking.as_user(NAME, FIRST)):
        assert ask("GET", "/_cluster/health").ok
        added = ask("POST", f"/{mine}/_bulk", lines).json()
        assert (added["errors"], added["items"][0]["create"]["status"]) == (False, 201), added
        created = added["items"][0]["create"]
        document = "/{_index}/_doc/{_id}?if_seq_no={_seq_no}&if_primary_term={_primary_term}".format_map(created)
        elsewhere = ask("POST", f"/{other}/_bulk", lines).json()
        assert elsewhere["items"][0]["create"]["status"] == 403
        refused = [
            ask("GET", f"/{mine}/_search"),
            ask("GET", f"/{other}/_search"),
            ask("PUT", document, event),
            ask("DELETE", document),
            ask("DELETE", f"/{mine}"),
            ask("PUT", "/raylogs-test-app-third"),
            ask("GET", "/_security/user"),
            ask("POST", "/_security/api_key", {"name": "more"}),
        ]
        assert {answer.status_code for answer in refused} == {403}, [answer.text for answer in refused]
    for module in ("user", "role", "api_key"):
        run(f"elasticsearch_{module}", **reach(any_secured), name=NAME, state="absent")
    if not is_stream:
        admin("DELETE", f"/{mine},{other}").raise_for_status()
