# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Build the bodies of users, and refuse what cannot be made of one."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.raylogs.efk.plugins.module_utils._api import Body, OptionError, Params
from ansible_collections.raylogs.efk.plugins.module_utils._users import (
    check_options,
    complete,
    desired_user,
    normalise_user,
    write_user,
)

# As 7.17.9, 8.19.0 and 9.2.0 answer.
ADA: Body = {"roles": ["b", "a"], "full_name": "Ada", "email": None, "metadata": {}, "enabled": True}
BUILT_IN: Body = {"roles": ["kibana_system"], "metadata": {"_reserved": True}, "enabled": True}
NOTHING: Params = {
    "name": "ada",
    "state": "present",
    "roles": None,
    "full_name": None,
    "email": None,
    "metadata": None,
    "enabled": None,
    "user_password": None,
    "username": "elastic",
}


def test_what_is_not_given_is_not_sent() -> None:
    given: Body = {"roles": [], "metadata": {}, "enabled": False}
    assert desired_user({**NOTHING, **given, "user_password": "s3cret"}) == given


@pytest.mark.parametrize(
    ("given", "words"),
    [
        pytest.param({"roles": ["viewer", "rôle"]}, "cannot have role 'rôle': Elasticsearch takes", id="a role's name"),
        pytest.param({"roles": [""]}, "cannot have role ''", id="a role without name"),
        pytest.param({"metadata": {"_a": 1}}, "metadata cannot hold '_a', which is reserved", id="a reserved note"),
    ],
)
def test_what_the_server_refuses(given: Params, words: str) -> None:
    with pytest.raises(OptionError, match=f"(?i)user 'ada'.*{words}"):
        desired_user({**NOTHING, **given})


@pytest.mark.parametrize(
    ("declared", "equal"),
    [
        pytest.param({"roles": ["a", "b", "a"], "full_name": "Ada"}, True, id="defaults, roles in another order"),
        pytest.param({"roles": ["a", "b"], "full_name": "Ada", "email": "", "metadata": {}}, True, id="what is empty"),
        pytest.param({"roles": ["a", "b"]}, False, id="a name that is not given is removed"),
        pytest.param({"roles": ["a"], "full_name": "Ada"}, False, id="a role less"),
        pytest.param({"roles": ["a", "b"], "full_name": "Ada", "enabled": False}, False, id="disabled"),
    ],
)
def test_equal_users(declared: Body, equal: bool) -> None:
    assert (normalise_user(declared) == normalise_user(ADA)) == equal


def test_whether_a_user_is_enabled_is_left_as_it_is() -> None:
    assert complete({"roles": []}, None)["enabled"] is True
    assert complete({"roles": []}, {**ADA, "enabled": False}) == {"roles": [], "enabled": False}
    assert complete({"roles": [], "enabled": True}, {**ADA, "enabled": False})["enabled"] is True
    assert complete({"enabled": False}, BUILT_IN) == {**BUILT_IN, "enabled": False}


@pytest.mark.parametrize(
    ("desired", "current", "writes"),
    [
        pytest.param({"roles": []}, ADA, [("PUT", "/u", {"roles": []})], id="a user is replaced"),
        pytest.param({"roles": []}, None, [("PUT", "/u", {"roles": []})], id="a user is created"),
        pytest.param(BUILT_IN, BUILT_IN, [], id="nothing of a built-in one"),
        pytest.param(
            {**BUILT_IN, "password": "p"},
            BUILT_IN,
            [("PUT", "/u/_password", {"password": "p"})],
            id="the password of a built-in one",
        ),
        pytest.param({**BUILT_IN, "enabled": False}, BUILT_IN, [("PUT", "/u/_disable", None)], id="disabled"),
        pytest.param(BUILT_IN, {**BUILT_IN, "enabled": False}, [("PUT", "/u/_enable", None)], id="enabled"),
    ],
)
def test_writes(desired: Body, current: Body | None, writes: list[t.Any]) -> None:
    assert write_user("/u", desired, current) == writes


@pytest.mark.parametrize(
    ("options", "current", "words"),
    [
        pytest.param({"state": "absent"}, BUILT_IN, "cannot be deleted. Set enabled to false", id="delete a built-in"),
        pytest.param({"roles": [], "email": "x"}, BUILT_IN, "Leave out roles, email", id="details of a built-in one"),
        pytest.param({}, ADA, r"needs roles", id="no roles"),
        pytest.param({"roles": []}, None, "Give its first password", id="no password"),
        pytest.param({"state": "absent", "username": "ada"}, ADA, "would delete itself", id="delete oneself"),
        pytest.param({"enabled": False, "username": "ada"}, ADA, "would disable itself", id="disable oneself"),
    ],
)
def test_refusals(options: Params, current: Body | None, words: str) -> None:
    with pytest.raises(OptionError, match=words):
        check_options({**NOTHING, **options}, current)


@pytest.mark.parametrize(
    ("options", "current"),
    [
        pytest.param({"roles": [], "user_password": "p"}, None, id="a new user"),
        pytest.param({"roles": []}, ADA, id="a user"),
        pytest.param({"enabled": True, "user_password": "p"}, BUILT_IN, id="a built-in one"),
        pytest.param({"state": "absent"}, None, id="nobody"),
    ],
)
def test_what_may_be_done(options: Params, current: Body | None) -> None:
    check_options({**NOTHING, **options}, current)
