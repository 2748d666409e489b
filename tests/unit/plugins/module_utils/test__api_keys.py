# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Say whether a key still serves, and what is to be done."""

from __future__ import annotations

import base64
import typing as t

import pytest
from ansible_collections.raylogs.efk.plugins.module_utils import _api_keys as keys
from ansible_collections.raylogs.efk.plugins.module_utils._api import Body, OptionError

DAY = 86_400_000
NOW = 1_795_456_397_614
RIGHTS: Body = {"r": {"cluster": ["b", "a"]}}
NOTHING: Body = {
    "name": "k",
    "path": "/k",
    "role_descriptors": RIGHTS,
    "expiration": None,
    "renew_before": None,
    "renew": "due",
    "metadata": None,
}


def wish(**options: t.Any) -> keys.Wish:
    """Read options, most of which are not given."""
    return keys.wish_for("Cannot manage", {**NOTHING, **options})


def held(*, days: float | None = None, left: float = 0, **more: t.Any) -> Body:
    """Describe a key that was made for so many days, of which so many are left."""
    end = None if days is None else NOW + int(left * DAY)
    creation = NOW if end is None else end - int((days or 0) * DAY)
    return {"id": "i", "invalidated": False, "creation": creation, "expiration": end, "metadata": {}, **more}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        pytest.param({"expiration": "90"}, "expiration '90' is no time", id="no unit"),
        pytest.param({"expiration": "1.5d"}, "expiration '1.5d' is no time", id="a fraction"),
        pytest.param({"expiration": "0d"}, "expiration '0d' is no time", id="nothing"),
        pytest.param({"expiration": "90d", "renew_before": "soon"}, "renew_before 'soon' is no time", id="a word"),
        pytest.param({"renew_before": "1d"}, "renew_before needs expiration", id="a renewal without end"),
        pytest.param({"expiration": "1d", "renew_before": "24h"}, "not shorter than expiration 1d", id="always"),
        pytest.param({"metadata": {"_x": 1}}, "cannot hold '_x'", id="a reserved note"),
        pytest.param({"metadata": {"role_descriptors_sha256": 1}}, "cannot hold 'role_desc", id="a note of ours"),
        pytest.param({"role_descriptors": {}}, "all rights of its owner", id="no rights"),
    ],
)
def test_options_that_cannot_work(options: Body, words: str) -> None:
    with pytest.raises(OptionError, match=f"^Cannot manage: .*{words}"):
        wish(**options)


def test_times() -> None:
    assert wish(expiration="90d", renew_before="36h")[3:5] == (90 * DAY, 1.5 * DAY)
    assert wish()[3:5] == (None, 0)


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        pytest.param(base64.b64encode(b"id:key").decode(), "id", id="a key"),
        pytest.param("id:key", None, id="a key that is not encoded"),
        pytest.param(base64.b64encode(b"idkey").decode(), None, id="no colon"),
        pytest.param(base64.b64encode(b"id:").decode(), None, id="no secret"),
        pytest.param(base64.b64encode(b"\xff:key").decode(), None, id="no text"),
        pytest.param("", None, id="an empty file"),
    ],
)
def test_what_a_file_holds(text: str, secret: str | None) -> None:
    found = keys.parse_key(text)
    assert (found and found.id) == secret


@pytest.mark.parametrize(
    ("options", "key", "reason"),
    [
        pytest.param({}, None, "there is no key of this name in the file", id="none"),
        pytest.param({}, held(), "", id="one that never ends"),
        pytest.param({}, held(invalidated=True), "was invalidated", id="an invalidated one"),
        pytest.param({"expiration": "9d"}, held(days=9, left=-1), "has ended", id="one that ended"),
        pytest.param({"expiration": "9d"}, held(days=9, left=1), "", id="one that is renewed when it ended"),
        pytest.param({"expiration": "9d"}, held(), "was made for another time", id="one that never ends, but should"),
        pytest.param({}, held(days=9, left=8), "was made for another time", id="one that ends, but should not"),
        pytest.param({"expiration": "9d"}, held(days=8, left=8), "was made for another time", id="a shorter one"),
        pytest.param({"expiration": "9d", "renew_before": "3d"}, held(days=9, left=4), "", id="one with time left"),
        pytest.param({"expiration": "9d", "renew_before": "3d"}, held(days=9, left=2), "ends soon", id="a late one"),
        pytest.param({"expiration": "9d", "renew": "always"}, held(days=9, left=8), "is asked for", id="rotation"),
        pytest.param({"expiration": "9d", "renew": "never"}, held(days=8, left=1), "", id="the end of a rotation"),
    ],
)
def test_reason_for_a_new_key(options: Body, key: Body | None, reason: str) -> None:
    found = keys.find_reason(wish(**options), key, NOW)
    assert found.endswith(reason)
    assert bool(found) == bool(reason)


SAME, OTHER = {"r": {"cluster": ["a", "b"], "indices": [], "transient_metadata": {}}}, {"r": {"cluster": ["a"]}}
HASH = {"role_descriptors_sha256": keys.digest(SAME)}


@pytest.mark.parametrize(
    ("options", "key", "differs"),
    [
        pytest.param({}, held(role_descriptors=SAME), False, id="equal rights"),
        pytest.param({}, held(role_descriptors=SAME, metadata=HASH), False, id="our note does not count"),
        pytest.param({}, held(role_descriptors=OTHER, metadata=HASH), True, id="rights count, not their hash"),
        pytest.param({"metadata": {"a": 1}}, held(role_descriptors=SAME), True, id="other notes"),
        pytest.param({}, held(metadata=HASH), False, id="an equal hash, where there are no rights"),
        pytest.param({"role_descriptors": OTHER}, held(metadata=HASH), True, id="another hash"),
        pytest.param({}, held(), True, id="neither rights nor a hash"),
    ],
)
def test_rights_and_notes(options: Body, key: Body, differs: bool) -> None:
    assert keys.differs(wish(**options), key) == differs


def test_days_left() -> None:
    assert keys.days_left(held(), NOW) is None
    assert keys.days_left(held(days=9, left=2.5), NOW) == 2
    assert keys.days_left(held(days=9, left=-0.5), NOW) == -1


def test_difference_shows_the_rights_as_far_as_they_are_known() -> None:
    def before(key: Body | None) -> Body:
        return keys.before_of(wish(), keys.Found(None, key, {"i": {}, "j": {}}, NOW))

    assert before(None) == {"active": ["i", "j"]}
    known: Body = {"r": {"cluster": ["a", "b"]}}
    always = {"id": "i", "metadata": {}, "active": ["i", "j"]}
    assert before(held(role_descriptors=SAME)) == {**always, "role_descriptors": known}
    assert before(held(metadata=HASH)) == {**always, "role_descriptors": known}
    assert before(held()) == {**always, "role_descriptors": {"sha256": None}}
    found = keys.Found(None, None, {"i": {}, "j": {}}, NOW)
    after = keys.after_of(wish(expiration="36h"), found, keys.Plan("none", is_updated=False, invalidated=("i",)))
    active = ["a new one", "j"]
    assert after == {
        "id": "a new one",
        "metadata": {},
        "active": active,
        "role_descriptors": known,
        "expiration": "36h",
    }
