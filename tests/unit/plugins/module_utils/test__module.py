# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make modules out of a kind of object, with a server that loses what it does not know."""

from __future__ import annotations

import json
import typing as t

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.raylogs.efk.plugins.module_utils._module import Task, inform, inform_of, manage, run

from tests.coloured_things import keeper, thing

if t.TYPE_CHECKING:
    from ansible_collections.raylogs.efk.plugins.module_utils._api import Body

    from tests.coloured_things import Store


def result_of(main: t.Callable[[], None], capsys: pytest.CaptureFixture[str], **options: t.Any) -> Body:
    """Run a module and give what it returned."""
    with patch_module_args(options), pytest.raises(SystemExit):
        main()
    result: Body = json.loads(capsys.readouterr().out.splitlines()[-1])
    return result


def test_life_of_a_thing(capsys: pytest.CaptureFixture[str]) -> None:
    store: Store = {}
    resource = thing(keeper(store))

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
    resource = thing(keeper({}, keeps=("made",)))
    params = {"name": "a", "state": "present", "colour": "red"}
    manage(resource, Task(params, check_mode=False, warn=warnings.append, tmpdir=lambda: ""))
    assert warnings == ["The server does not keep /colour of coloured thing 'a' as it was written."]


def test_error_of_the_server_is_the_message(capsys: pytest.CaptureFixture[str]) -> None:
    result = result_of(lambda: run(thing(keeper({}))), capsys, name="broken", colour="red")
    assert result["failed"]
    assert result["msg"] == "Cannot read coloured thing 'broken': /thing/broken answered 500: broken. Mend it."


@pytest.mark.parametrize("name", ["A", "*"])
def test_impossible_name_is_refused_before_anything_is_sent(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    result = result_of(lambda: run(thing(keeper({}))), capsys, name=name, colour="red")
    assert f"Coloured thing cannot be named '{name}'" in result["msg"]


def test_client_that_is_missing_is_the_message(capsys: pytest.CaptureFixture[str]) -> None:
    result = result_of(lambda: run(thing(keeper({}, "No client."))), capsys, name="a", colour="red")
    assert (result["failed"], result["msg"]) == (True, "No client.")


def test_reader_changes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    store: Store = {"a": {}}
    result = result_of(lambda: inform(keeper(store), {}, lambda found, _params: {"names": sorted(found)}), capsys)
    assert (result["changed"], result["names"]) == (False, ["a"])


def test_objects_are_listed_whole_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    store: Store = {"b2": {"colour": "red"}, "b1": {"colour": "blue", "made": "now"}, "c": {}}
    result = result_of(lambda: inform_of(thing(keeper(store))), capsys, name=["b*", "none"])
    assert not result["changed"]
    assert result["coloured_things"] == [
        {"name": "b1", "colour": "blue", "made": "now"},
        {"name": "b2", "colour": "red"},
    ]


def test_server_that_lacks_the_feature_is_left_alone(capsys: pytest.CaptureFixture[str]) -> None:
    store: Store = {}
    lacking = thing(keeper(store, lacks="it is grey."))
    written = result_of(lambda: run(lacking), capsys, name="a", colour="red")
    listed = result_of(lambda: inform_of(lacking), capsys)
    assert written["msg"] == listed["msg"] == "Cannot manage objects of the kind coloured thing: it is grey."
    assert store == {}


def test_what_exists_once_has_no_name(capsys: pytest.CaptureFixture[str]) -> None:
    store: Store = {}
    single = thing(keeper(store))._replace(
        kind="paint", path="/paint", named=False, required_if=(), entries=lambda answer: {"": answer["paint"]}
    )
    result = result_of(lambda: run(single), capsys, colour="red")
    assert (result["changed"], result["paint"], store) == (
        True,
        {"colour": "red"},
        {"paint": {"colour": "red", "made": "now"}},
    )
    assert result["diff"]["after_header"] == "paint"
    assert not result_of(lambda: run(single), capsys, colour="RED")["changed"]
