# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring roles into one form, and refuse what is none."""

from __future__ import annotations

import pytest
from ansible_collections.raylogs.efk.plugins.module_utils._api import Body, OptionError
from ansible_collections.raylogs.efk.plugins.module_utils._roles import (
    desired_descriptors,
    desired_role,
    is_reserved,
    normalise_role,
    unknown_privilege,
)

PARTS = ("cluster", "indices", "applications", "run_as", "metadata", "description")
NOTHING: Body = {"name": "r", **dict.fromkeys(PARTS)}
RIGHTS: Body = {"names": ["a"], "privileges": ["read"]}
ON_KIBANA: Body = {"application": "kibana", "privileges": ["all"], "resources": ["*"]}
# As 7.17.9, 8.19.0 and 9.2.0 answer.
ADDED: Body = {"applications": [], "run_as": [], "metadata": {}, "transient_metadata": {"enabled": True}}


@pytest.mark.parametrize(
    ("declared", "answer"),
    [
        pytest.param({}, {"cluster": [], "indices": [], **ADDED}, id="nothing"),
        pytest.param({"description": ""}, {"cluster": [], "indices": [], **ADDED}, id="an empty description"),
        pytest.param({"cluster": ["b", "A", "a"]}, {"cluster": ["a", "b"], "indices": [], **ADDED}, id="a set"),
        pytest.param({"run_as": ["b", "a"]}, {**ADDED, "run_as": ["a", "b"]}, id="names to act in"),
        pytest.param(
            {"indices": [{**RIGHTS, "privileges": ["WRITE", "read"]}]},
            {
                "indices": [{"names": ["a"], "privileges": ["read", "write"], "allow_restricted_indices": False}],
                **ADDED,
            },
            id="privileges in capitals",
        ),
        pytest.param(
            {"indices": [{"names": "a", "privileges": "read"}]},
            {"indices": [{**RIGHTS, "allow_restricted_indices": False}], **ADDED},
            id="one name, one privilege",
        ),
        pytest.param(
            {"indices": [{**RIGHTS, "query": {"term": {"b": 1, "a": 2}}}]},
            {"indices": [{**RIGHTS, "query": '{"term":{"a":2,"b":1}}'}], **ADDED},
            id="a query as text",
        ),
        pytest.param(
            {"indices": [{**RIGHTS, "query": "", "field_security": {"grant": ["b", "a"], "except": []}}]},
            {"indices": [{**RIGHTS, "field_security": {"grant": ["a", "b"]}}], **ADDED},
            id="fields, no query",
        ),
        pytest.param(
            {"indices": [{**RIGHTS, "names": ["b"]}, RIGHTS, RIGHTS]},
            {"indices": [RIGHTS, {**RIGHTS, "names": ["b"]}], **ADDED},
            id="rights in another order, one twice",
        ),
        pytest.param(
            {"applications": [{"application": "k", "privileges": ["b", "a"], "resources": ["d", "c"]}]},
            {**ADDED, "applications": [{"application": "k", "privileges": ["a", "b"], "resources": ["c", "d"]}]},
            id="applications",
        ),
    ],
)
def test_equal_roles(declared: Body, answer: Body) -> None:
    assert normalise_role(declared) == normalise_role(answer)


@pytest.mark.parametrize(
    "other",
    [
        pytest.param({**RIGHTS, "allow_restricted_indices": True}, id="restricted indices"),
        pytest.param({**RIGHTS, "query": "{{not JSON}}"}, id="a template of a query"),
        pytest.param({**RIGHTS, "query": {"match_all": {}}}, id="a query"),
        pytest.param({**RIGHTS, "field_security": {"grant": ["a"]}}, id="fields"),
        pytest.param({**RIGHTS, "names": ["A"]}, id="a name in capitals"),
    ],
)
def test_other_rights(other: Body) -> None:
    assert normalise_role({"indices": [RIGHTS]}) != normalise_role({"indices": [other]})


def test_what_is_not_given_is_not_sent() -> None:
    fields = {"grant": ["a"], "except": None}
    entry = {**RIGHTS, "query": None, "field_security": fields, "allow_restricted_indices": None}
    assert desired_role({**NOTHING, "indices": [entry], "cluster": []}) == {
        "cluster": [],
        "indices": [{**RIGHTS, "field_security": {"grant": ["a"]}}],
    }


def test_rights_of_a_key() -> None:
    declared = {"r": {"index": [{"names": "a", "privileges": "read"}]}}
    assert desired_descriptors("Cannot", declared) == {"r": {"indices": [RIGHTS]}}


@pytest.mark.parametrize(
    ("declared", "words"),
    [
        pytest.param({}, "all rights of its owner", id="none"),
        pytest.param({"r": "monitor"}, r"role_descriptors\.r is no role, but 'monitor'", id="a word"),
        pytest.param({"r": {"clustr": []}}, r"role_descriptors\.r: clustr", id="a misspelt option"),
        pytest.param({"r": {"indices": [{"names": "a"}]}}, "privileges", id="no privileges"),
        pytest.param({"é": {}}, "cannot be named 'é': Elasticsearch takes 1 to 507", id="a name with an accent"),
        pytest.param({" r": {}}, "cannot be named ' r'", id="a name that begins with a blank"),
        pytest.param({"": {}}, "cannot be named ''", id="no name"),
    ],
)
def test_rights_of_a_key_that_are_none(declared: Body, words: str) -> None:
    with pytest.raises(OptionError, match=words):
        desired_descriptors("Cannot", declared)


@pytest.mark.parametrize(
    ("declared", "words"),
    [
        pytest.param({"indices": [RIGHTS, {**RIGHTS, "names": []}]}, r"indices\[1\]\.names is empty", id="no names"),
        pytest.param({"indices": [{**RIGHTS, "names": ["a", ""]}]}, r"indices\[0\]\.names", id="an empty name"),
        pytest.param({"indices": [{**RIGHTS, "privileges": []}]}, r"indices\[0\]\.privileges", id="no privileges"),
        pytest.param({"applications": [{**ON_KIBANA, "application": ""}]}, "application is empty", id="no application"),
        pytest.param({"applications": [{**ON_KIBANA, "privileges": []}]}, "privileges is empty", id="none on it"),
        pytest.param({"applications": [{**ON_KIBANA, "resources": []}]}, "resources is empty", id="no resources"),
        pytest.param({"indices": [{**RIGHTS, "field_security": {}}]}, "names no fields. Give grant", id="no fields"),
        pytest.param({"metadata": {"a": 1, "_b": 1}}, "metadata cannot hold '_b'", id="a reserved note"),
        pytest.param({"description": "a" * 1001}, "longer than 1000 characters", id="a long description"),
    ],
)
def test_parts_that_are_refused(declared: Body, words: str) -> None:
    with pytest.raises(OptionError, match=f"^Cannot write role 'r': .*{words}"):
        desired_role({**NOTHING, **declared})
    with pytest.raises(OptionError, match=rf"^Cannot: role_descriptors\.k: .*{words}"):
        desired_descriptors("Cannot", {"k": declared})


def test_what_is_built_in() -> None:
    assert is_reserved({"metadata": {"_reserved": True}})
    assert not any(map(is_reserved, (None, {}, {"metadata": None}, {"metadata": {"a": 1}})))


@pytest.mark.parametrize(
    ("kind", "privilege", "fix"),
    [
        pytest.param("cluster", "Monitr", "Did you mean 'monitor'?", id="nearly right"),
        pytest.param("cluster", "read", "It is one on indices: name it under indices.", id="of indices"),
        pytest.param("index", "monitor", "It is one on the cluster: name it under cluster.", id="of the cluster"),
        pytest.param("index", "xyzzy", "Valid ones are read, write.", id="like no other"),
    ],
)
def test_unknown_privilege(kind: str, privilege: str, fix: str) -> None:
    known = {"cluster": ["monitor"], "index": ["read", "write"]}
    assert unknown_privilege(kind, privilege, known).endswith(fix)
