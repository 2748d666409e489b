# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write bodies to real servers and read them: what the server rewrites is no change, everything else is."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest
import requests
from ansible_collections.raylogs.efk.plugins.module_utils import _normalise as normalise
from ansible_collections.raylogs.efk.plugins.module_utils._reconcile import equal, first_difference, reconcile
from ansible_collections.raylogs.efk.plugins.module_utils._resource import keep_whole

from tests import rewrite_cases as cases
from tests.stand_in import stand_in

if t.TYPE_CHECKING:
    from tests.conftest import Server
    from tests.rewrite_cases import Body, Cases

NAME = "raylogs-rewrites"
ANY = 99
RECORDED = json.loads((Path(__file__).parents[1] / "unit/fixtures/elasticsearch/ilm_policy.json").read_text())


class Kind(t.NamedTuple):
    """An API, its cases with the oldest and newest major version for each group, and how two bodies are compared.

    `get` takes a body out of an answer. A case replaces the one before it; `reset` makes the body that undoes it where
    it does not, and `apart` says that each has an object of its own.
    """

    path: str
    cases: tuple[tuple[int, int, Cases], ...]
    get: t.Callable[[Body], Body]
    normalise: t.Callable[[Body], Body]
    scope: t.Callable[[Body, Body], Body] = keep_whole
    reset: t.Callable[[Body], Body] | None = None
    apart: bool = False


def whole_body(body: Body) -> Body:
    """Take the answer as it is."""
    return body


def null_settings(body: Body) -> Body:
    """Reset these settings of a cluster."""
    return {level: {name: None for name, _ in normalise.leaves(settings)} for level, settings in body.items()}


KINDS = {
    "index template": Kind(
        f"_index_template/{NAME}",
        ((7, ANY, cases.INDEX_TEMPLATES), (8, ANY, cases.INDEX_TEMPLATES_SINCE_8)),
        lambda answer: dict(answer["index_templates"][0]["index_template"]),
        normalise.normalise_index_template,
    ),
    "component template": Kind(
        f"_component_template/{NAME}",
        ((7, ANY, cases.COMPONENT_TEMPLATES), (8, ANY, cases.COMPONENT_TEMPLATES_SINCE_8)),
        lambda answer: dict(answer["component_templates"][0]["component_template"]),
        normalise.normalise_component_template,
    ),
    "ingest pipeline": Kind(
        f"_ingest/pipeline/{NAME}",
        ((7, ANY, cases.PIPELINES), (8, ANY, cases.PIPELINES_SINCE_8)),
        lambda answer: dict(answer[NAME]),
        normalise.normalise_pipeline,
    ),
    "legacy template": Kind(
        f"_template/{NAME}",
        ((7, ANY, cases.LEGACY_TEMPLATES), (7, 7, cases.LEGACY_TEMPLATES_BEFORE_8)),
        lambda answer: dict(answer[NAME]),
        normalise.normalise_legacy_template,
    ),
    "cluster settings": Kind(
        "_cluster/settings",
        ((7, ANY, {name: {"persistent": body} for name, body in cases.CLUSTER_SETTINGS.items()}),),
        whole_body,
        normalise.normalise_cluster_settings,
        normalise.keep_declared_settings,
        null_settings,
    ),
    "index": Kind(
        NAME,
        ((7, ANY, {name: {"mappings": body} for name, body in cases.MAPPINGS.items()}),),
        lambda answer: {"mappings": next(iter(answer.values()))["mappings"]},
        lambda body: {"mappings": normalise.normalise_mapping(body["mappings"])},
        apart=True,
    ),
}


class Kept(t.NamedTuple):
    """What was written and what the server then held; None when it refused it, with its words."""

    put: Body
    held: Body | None
    said: str


Answers = dict[str, dict[str, Kept]]


@pytest.fixture(scope="session")
def answers(any_elasticsearch: Server) -> Answers:
    """Write and read all cases on a server, one after the other, and leave nothing behind."""
    url, session = any_elasticsearch.url, requests.Session()
    part = f"{url}/_component_template/{cases.PART}"
    session.put(part, json={"template": {}}, timeout=30).raise_for_status()
    kept = {}
    for name, kind in KINDS.items():
        groups = [group for oldest, newest, group in kind.cases if oldest <= any_elasticsearch.version[0] <= newest]
        bodies = {case: body for group in groups for case, body in group.items()}
        paths = [f"{url}/{kind.path}{f'-{number}' if kind.apart else ''}" for number in range(len(bodies))]
        kept[name] = {case: keep(session, path, kind, bodies[case]) for case, path in zip(bodies, paths)}
        if not kind.reset:
            names = ",".join(sorted({path.rpartition("/")[2] for path in paths}))
            session.delete(f"{paths[0].rpartition('/')[0]}/{names}", timeout=60).raise_for_status()
    session.delete(part, timeout=30).raise_for_status()
    return kept


def keep(session: requests.Session, url: str, kind: Kind, body: Body) -> Kept:
    """Write a body and read it."""
    written = session.put(url, json=body, params={"wait_for_active_shards": 0} if kind.apart else {}, timeout=30)
    if not written.ok:
        return Kept(body, None, written.text)
    held = kind.get(session.get(url, timeout=30).json())
    if kind.reset:
        session.put(url, json=kind.reset(body), timeout=30).raise_for_status()
    return Kept(body, held, "")


def holds(kind: Kind, wanted: Body, held: Body) -> bool:
    """Say whether a module would leave this alone."""
    if kind is KINDS["index"]:
        return first_difference(kind.normalise(wanted), kind.normalise(held)) == ""
    return reconcile(wanted, kind.scope(wanted, held), kind.normalise).verb == "none"


def shows_the_same(kind: Kind, one: Body, other: Body) -> bool:
    """Say whether the server itself shows no difference."""
    if kind is KINDS["index"]:
        return first_difference(one, other) == ""
    return equal(normalise.drop_server_dates(one), normalise.drop_server_dates(other))


def alike(pair: tuple[str, str], groups: list[set[str]]) -> bool:
    """Say whether a pair is listed as a true equivalence."""
    return any(set(pair) <= group for group in groups)


@pytest.mark.parametrize("name", KINDS)
def test_no_false_change(name: str, answers: Answers) -> None:
    refused = {case: kept.said for case, kept in answers[name].items() if kept.held is None}
    assert refused == {}
    changed = {
        case: kept
        for case, kept in answers[name].items()
        if kept.held is not None and not holds(KINDS[name], kept.put, kept.held)
    }
    assert changed == {}


@pytest.mark.parametrize("name", KINDS)
def test_no_missed_change(name: str, answers: Answers) -> None:
    kind, kept = KINDS[name], {case: (each.put, each.held) for case, each in answers[name].items() if each.held}
    missed = {
        (one, other)
        for one, (wanted, shown) in kept.items()
        for other, (_, found) in kept.items()
        if holds(kind, wanted, found) and not shows_the_same(kind, shown, found)
    }
    assert {pair for pair in missed if not alike(pair, cases.ALIKE.get(name, []))} == set()


def test_there_are_as_many_cases_as_were_measured() -> None:
    real = sum(len(group) for kind in KINDS.values() for _, _, group in kind.cases)
    assert real + len(RECORDED) + len(cases.CORRECTED) >= 114


def test_what_jinja_made_is_refused_raw_and_taken_corrected(any_elasticsearch: Server) -> None:
    url = f"{any_elasticsearch.url}/_component_template/{NAME}"
    kind, session = KINDS["component template"], requests.Session()
    since_8 = cases.CORRECTED_SINCE_8 if any_elasticsearch.version >= (8,) else {}
    for case, (part, raw) in {**cases.CORRECTED, **since_8}.items():
        assert keep(session, url, kind, {"template": {part: raw}}).held is None, case
        wanted = {"template": normalise.correct_template({part: raw})}
        kept = keep(session, url, kind, wanted)
        session.delete(url, timeout=30)
        assert kept.held is not None, (case, kept.said)
        assert holds(kind, wanted, kept.held), case


@pytest.mark.parametrize("version", ["7.17.9", "8.19.0", "9.2.0"])
def test_no_false_and_no_missed_change_of_policies_on_stand_in(version: str) -> None:
    kind = Kind(
        f"_ilm/policy/{NAME}",
        (),
        lambda answer: dict(answer[NAME]["policy"]),
        normalise.normalise_ilm_policy,
    )
    kept = {}
    with stand_in(version) as held, requests.Session() as session:
        url = f"{held.url}/{kind.path}"
        for name, case in RECORDED.items():
            if session.put(url, json={"policy": case["put"]}, timeout=30).ok:
                put = {**case["put"], "phases": normalise.correct_phases(case["put"]["phases"])}
                kept[name] = Kept(put, kind.get(session.get(url, timeout=30).json()), "")
    assert set(kept) == {name for name, case in RECORDED.items() if version in case["get"]}
    assert {name for name, each in kept.items() if not holds(kind, each.put, each.held or {})} == set()
    missed = {
        (one, other)
        for one, wanted in kept.items()
        for other, found in kept.items()
        if holds(kind, wanted.put, found.held or {}) and not equal(wanted.held, found.held)
    }
    assert {pair for pair in missed if not alike(pair, cases.POLICIES_ALIKE)} == set()
