# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make modules out of resources, with a stand-in of a server that loses what it does not know."""

from __future__ import annotations

import json
import typing as t

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.raylogs.efk.plugins.module_utils._api import Api, ApiError, Body, Request
from ansible_collections.raylogs.efk.plugins.module_utils._module import Resource, Task, inform, manage, pick, run

Store = dict[str, Body]


def stand_in(store: Store, trouble: str = "", keeps: tuple[str, ...] = ("colour", "made")) -> Api:
    """Keep things in a dictionary, as a server that knows only some keys; a thing named broken cannot be read."""

    def answer(store: Store, request: Request) -> Body | None:
        name = request.path.rpartition("/")[2]
        if name == "broken":
            raise ApiError(request.what, request.path, "answered 500: broken", "Mend it.", 500)
        if request.method == "DELETE":
            store.pop(name)
        if request.method == "PUT":
            store[name] = {key: value for key, value in {**request.body, "made": "now"}.items() if key in keeps}
        return {name: store[name]} if name in store else None

    return Api({"url": {"type": "str"}}, {}, lambda: trouble, lambda _params: store, answer)


def thing(api: Api) -> Resource:
    """Declare a kind of object."""
    return Resource(
        kind="coloured thing",
        api=api,
        path="/thing/{name}",
        options={"colour": {"type": "str"}},
        required_if=(("state", "present", ["colour"]),),
        desired=lambda params: {"colour": params["colour"]},
        current=lambda answer, name: answer.get(name),
        normalise=lambda body: {key: str(value).lower() for key, value in body.items()},
        server_owned=frozenset({"made"}),
    )


def result_of(main: t.Callable[[], None], capsys: pytest.CaptureFixture[str], **options: t.Any) -> Body:
    """Run a module and give what it returned."""
    with patch_module_args(options), pytest.raises(SystemExit):
        main()
    result: Body = json.loads(capsys.readouterr().out.splitlines()[-1])
    return result


def test_life_of_a_thing(capsys: pytest.CaptureFixture[str]) -> None:
    store: Store = {}
    resource = thing(stand_in(store))

    def step(**options: t.Any) -> tuple[bool, Body, Body, Body | None]:
        result = result_of(lambda: run(resource), capsys, name="a", **options)
        return result["changed"], result["diff"]["before"], result["diff"]["after"], result["coloured_thing"]

    assert step(colour="Red", _ansible_check_mode=True) == (True, {}, {"colour": "red"}, {"name": "a", "colour": "Red"})
    assert store == {}
    assert step(colour="Red") == (True, {}, {"colour": "red"}, {"name": "a", "colour": "Red"})
    assert step(colour="RED") == (False, {"colour": "red"}, {"colour": "red"}, {"name": "a", "colour": "Red"})
    assert step(colour="blue")[:3] == (True, {"colour": "red"}, {"colour": "blue"})
    assert step(state="absent") == (True, {"colour": "blue"}, {}, None)
    assert step(state="absent") == (False, {}, {}, None)


def test_what_the_server_does_not_keep_is_a_warning() -> None:
    warnings: list[str] = []
    resource = thing(stand_in({}, keeps=("made",)))
    params = {"name": "a", "state": "present", "colour": "red"}
    manage(resource, Task(params, check_mode=False, warn=warnings.append, tmpdir=lambda: ""))
    assert warnings == ["The server does not keep /colour of coloured thing 'a' as it was written."]


def test_error_of_the_server_is_the_message(capsys: pytest.CaptureFixture[str]) -> None:
    result = result_of(lambda: run(thing(stand_in({}))), capsys, name="broken", colour="red")
    assert result["failed"]
    assert result["msg"] == "Cannot read coloured thing 'broken': /thing/broken answered 500: broken. Mend it."


@pytest.mark.parametrize("name", ["A", "*"])
def test_impossible_name_is_refused_before_anything_is_sent(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    result = result_of(lambda: run(thing(stand_in({}))), capsys, name=name, colour="red")
    assert f"Coloured thing cannot be named '{name}'" in result["msg"]


def test_client_that_is_missing_is_the_message(capsys: pytest.CaptureFixture[str]) -> None:
    result = result_of(lambda: run(thing(stand_in({}, "No client."))), capsys, name="a", colour="red")
    assert (result["failed"], result["msg"]) == (True, "No client.")


def test_reader_changes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    store: Store = {"a": {}}
    result = result_of(lambda: inform(stand_in(store), {}, lambda found, _params: {"names": sorted(found)}), capsys)
    assert (result["changed"], result["names"]) == (False, ["a"])


def test_object_is_picked_out_of_an_answer_with_many() -> None:
    resource = thing(stand_in({}))
    answer = {"a": {"colour": "red", "made": "now"}, "b": {"colour": "blue"}}
    assert pick(resource, answer, "a") == {"colour": "red"}
    assert pick(resource, answer, "c") is None
    assert pick(resource, None, "a") is None
