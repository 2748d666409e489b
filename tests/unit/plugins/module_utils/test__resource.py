# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read, compare and write objects of a kind, with a server that loses what it does not know."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.raylogs.efk.plugins.module_utils._api import Body, OptionError
from ansible_collections.raylogs.efk.plugins.module_utils._resource import (
    check_support,
    compare,
    describe_change,
    find_lack,
    keep_declared,
    keep_whole,
    label,
    pick,
    read,
    read_all,
    replace_whole,
    unkept,
    write,
)

from tests.coloured_things import keeper, thing

if t.TYPE_CHECKING:
    from tests.coloured_things import Store


def test_object_is_picked_out_of_an_answer_with_many() -> None:
    resource = thing(keeper({}))
    answer = {"a": {"colour": "red", "made": "now"}, "b": {"colour": "blue"}}
    assert pick(resource, answer, "a") == {"colour": "red"}
    assert pick(resource, answer, "c") is None
    assert pick(resource, None, "a") is None


@pytest.mark.parametrize(
    ("kind", "key", "plural"),
    [
        pytest.param("coloured thing", "coloured_thing", "coloured_things", id="several words"),
        pytest.param("ILM policy", "ilm_policy", "ilm_policies", id="ends with y"),
        pytest.param("cluster settings", "cluster_settings", "cluster_settings", id="always many"),
    ],
)
def test_names_of_return_values(kind: str, key: str, plural: str) -> None:
    resource = thing(keeper({}))._replace(kind=kind)
    assert (resource.key, resource.plural) == (key, plural)


def test_label_says_the_name_of_what_has_one() -> None:
    resource = thing(keeper({}))
    assert label(resource, "a") == "coloured thing 'a'"
    assert label(resource._replace(named=False), "") == "coloured thing"


def test_lack_is_asked_only_about_a_feature() -> None:
    resource = thing(keeper({}, lacks="it is grey."))
    assert find_lack(resource, {}) == "Cannot manage objects of the kind coloured thing: it is grey."
    assert find_lack(resource._replace(feature=""), {}) == ""
    with pytest.raises(OptionError, match="it is grey"):
        check_support(resource, {})
    check_support(thing(keeper({})), {})


def test_lack_may_hang_on_the_body() -> None:
    api = keeper({})._replace(lack=lambda _connection, feature: "it is grey." if feature == "shine" else "")
    resource = thing(api)._replace(needs=lambda desired: "shine" if desired["colour"] == "gold" else "")
    assert find_lack(resource, {}) == find_lack(resource, {}, {"colour": "red"}) == ""
    assert find_lack(resource, {}, {"colour": "gold"}).endswith("it is grey.")


def test_life_in_the_store() -> None:
    store: Store = {"b": {"colour": "blue", "made": "now"}}
    resource = thing(keeper(store))
    assert read(resource, store, "a") is None
    write(resource, store, "a", {"colour": "red"}, None)
    assert read(resource, store, "a") == {"colour": "red"}
    assert read_all(resource, store) == {name: {"colour": store[name]["colour"], "made": "now"} for name in ("a", "b")}
    write(resource, store, "a", None, {"colour": "red"})
    assert list(store) == ["b"]


def test_no_object_at_all_is_none_to_read() -> None:
    resource = thing(keeper({}))._replace(path="/nothing/{name}")
    assert read_all(resource, {}) == {}


def test_several_writes_make_one_object() -> None:
    store: Store = {}
    resource = thing(keeper(store))._replace(
        writes=lambda path, desired, _current: [("PUT", f"{path}{half}", desired) for half in (1, 2)]
    )
    write(resource, store, "a", {"colour": "red"}, None)
    assert list(store) == ["a1", "a2"]


def test_whole_object_is_replaced() -> None:
    assert replace_whole("/thing/a", {"colour": "red"}, {"colour": "blue"}) == [("PUT", "/thing/a", {"colour": "red"})]


@pytest.mark.parametrize(
    ("scope", "verb"),
    [
        pytest.param(keep_whole, "update", id="a replacing write removes what is not declared"),
        pytest.param(keep_declared, "none", id="another leaves it alone"),
    ],
)
def test_comparison_follows_the_write(scope: t.Callable[[Body, Body], Body], verb: str) -> None:
    resource = thing(keeper({}))._replace(scope=scope)
    assert compare(resource, {"colour": "RED"}, {"colour": "red", "size": 1}).verb == verb
    assert compare(resource, {"colour": "red"}, None).verb == "create"
    assert compare(resource, None, {"colour": "red"}).verb == "delete"
    assert compare(resource, None, None).verb == "none"


@pytest.mark.parametrize(
    ("desired", "found", "lost"),
    [
        pytest.param({"colour": "Red"}, {"colour": "red"}, "", id="kept"),
        pytest.param({"colour": "red"}, {}, "/colour", id="lost"),
        pytest.param({"colour": "red"}, {"colour": "red", "size": 1}, "/size", id="added"),
        pytest.param({"colour": "red"}, None, "/", id="not there"),
        pytest.param(None, None, "", id="deleted"),
        pytest.param(None, {"colour": "red"}, "/", id="still there"),
    ],
)
def test_what_the_server_holds_otherwise_is_named(desired: Body | None, found: Body | None, lost: str) -> None:
    resource = thing(keeper({}))
    assert unkept(resource, compare(resource, desired, None), found) == lost
    assert unkept(resource._replace(scope=keep_declared), compare(resource, desired, None), found) == (
        "" if lost == "/size" else lost
    )


def test_difference_of_what_is_absent_is_empty() -> None:
    resource = thing(keeper({}))
    assert describe_change(resource, "a", compare(resource, {"colour": "Red"}, None)) == {
        "before_header": "coloured thing 'a'",
        "before": {},
        "after_header": "coloured thing 'a'",
        "after": {"colour": "red"},
    }
