# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the collector makes of sessions while they are written, beside what the importer makes of them afterwards."""

from __future__ import annotations

import collections
import functools
import pathlib
import sys
import tempfile

import pytest
from ansible_collections.raylogs.efk.plugins.module_utils._catalogue_data import FIELDS

from tests import corpus, live_nodes, ruby_parser

BETTER = {field["name"]: field["importer"]["share"] for field in FIELDS["fields"] if "importer" in field}
# A key that tells pieces of a file apart by the second in which they ended, as for files that come from an archive.
TOLD_APART = "~"
KEY = "log.file.fingerprint"
ROUNDING = 0.1
SCENARIOS = corpus.scenarios()

pytestmark = pytest.mark.skipif(ruby_parser.RUBY is None, reason=ruby_parser.NO_RUBY)


@functools.cache
def compared(scenario: str) -> tuple[live_nodes.Comparison, ...]:
    """Compare the nodes of a scenario."""
    with tempfile.TemporaryDirectory() as place:
        nodes = list(live_nodes.nodes(corpus.folder() / scenario, pathlib.Path(place, "session")))
        answers = live_nodes.live(nodes, pathlib.Path(place, "live"))
        return tuple(live_nodes.compare(node, answer) for node, answer in zip(nodes, answers, strict=True))


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_same_lines_become_events(scenario: str) -> None:
    for comparison in compared(scenario):
        assert comparison.imported_alone == []
        # What goes on from one piece of a rotated file into the next.
        assert [event for event in comparison.live_alone if "fragment" not in event.get("tags", ())] == []


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_keys_are_the_same(scenario: str) -> None:
    compared_keys = 0
    for comparison in compared(scenario):
        for imported, live in comparison.pairs:
            compared_keys += 1
            assert imported[KEY] == live[KEY] or (TOLD_APART in imported[KEY] and imported[KEY].startswith(live[KEY]))
    assert compared_keys > 0


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_all_that_an_actor_prints_says_whose_it_is(scenario: str) -> None:
    for comparison in compared(scenario):
        for imported, live in comparison.pairs:
            if "/worker-" in imported["log.file.path"]:
                assert live.get("ray.actor_id") == imported.get("ray.actor_id"), live


def test_fields_differ_where_the_schema_says_so() -> None:
    lines = 0
    fields: collections.Counter[str] = collections.Counter()
    for scenario in SCENARIOS:
        for comparison in compared(scenario):
            lines += len(comparison.pairs)
            fields.update(comparison.fields)
    shown = [f"  {field}: {count} ({100 * count / lines:.2f} %)\n" for field, count in fields.most_common()]
    sys.stdout.write(f"{lines} lines; fields that differ:\n{''.join(shown)}")
    assert fields.keys() - {KEY, "event.id"} <= BETTER.keys()
    if corpus.folder() == corpus.WHOLE:
        shares = {field: 100 * fields[field] / lines for field in BETTER}
        assert {field: share for field, share in shares.items() if share > BETTER[field] + ROUNDING} == {}
        # A session is written anew in seconds: a moment of reading can be that of the last change.
        exact = {field: share for field, share in shares.items() if field != "@timestamp"}
        assert {field: share for field, share in exact.items() if share < BETTER[field] - ROUNDING} == {}
