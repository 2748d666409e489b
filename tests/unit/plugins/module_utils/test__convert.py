# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values of records to values of fields."""

from __future__ import annotations

import json
import typing as t

import pytest
from ansible_collections.raylogs.efk.plugins.module_utils import _convert
from ansible_collections.raylogs.efk.plugins.module_utils._catalogue_data import CATALOGUE

LEVELS: dict[str, str] = CATALOGUE["levels"]
KEYS = _convert.JsonKeys(CATALOGUE["json"])
KINDS = (
    *("keyword", "text", "base64_id", "outcome", "long", "entries", "demands", "milliseconds", "double", "bytes"),
    *("date", "date_nanos", "ip", "boolean"),
)


@pytest.mark.parametrize(
    ("kind", "raw", "expected"),
    [
        pytest.param("keyword", "text", "text", id="keyword of text"),
        pytest.param("keyword", 7, "7", id="keyword of a number"),
        pytest.param("keyword", True, "true", id="keyword of a truth value"),
        pytest.param("keyword", "", None, id="no keyword of nothing"),
        pytest.param("keyword", None, None, id="no keyword of null"),
        pytest.param("keyword", {"a": 1}, None, id="no keyword of an object"),
        pytest.param("keyword", ["a"], None, id="no keyword of a list"),
        pytest.param("keyword", "x" * 9000, "x" * 8191, id="keyword is cut"),
        pytest.param("keyword", "a\ud800b", "a\ufffdb", id="keyword without half a surrogate pair"),
        pytest.param("long", 7, 7, id="long of a number"),
        pytest.param("long", " -7 ", -7, id="long of text"),
        pytest.param("long", 7.0, 7, id="long of a whole double"),
        pytest.param("long", 7.5, None, id="no long of a fraction"),
        pytest.param("long", True, None, id="no long of a truth value"),
        pytest.param("long", "7a", None, id="no long of words"),
        pytest.param("long", "", None, id="no long of nothing"),
        pytest.param("long", "--7", None, id="no long of two signs"),
        pytest.param("long", "7-", None, id="no long of a sign behind"),
        pytest.param("long", "٣", None, id="no long of other digits"),
        pytest.param("long", "²", None, id="no long of a superscript"),
        pytest.param("long", 10**30, None, id="no long of a huge number"),
        pytest.param("long", 1e300, None, id="no long of a huge double"),
        pytest.param("long", float("nan"), None, id="no long of NaN"),
        pytest.param("long", float("inf"), None, id="no long of infinity"),
        pytest.param("long", [7], None, id="no long of a list"),
        pytest.param("double", 1, 1.0, id="double of a number"),
        pytest.param("double", "1.5", 1.5, id="double of text"),
        pytest.param("double", "NaN", None, id="no double of NaN"),
        pytest.param("double", "1e999", None, id="no double of infinity"),
        pytest.param("double", 10**400, None, id="no double of a huge number"),
        pytest.param("double", False, None, id="no double of a truth value"),
        pytest.param("double", {}, None, id="no double of an object"),
        pytest.param("double", "one", None, id="no double of words"),
        pytest.param("double", "\u0661.\u0665", None, id="no double of other digits"),
        pytest.param("date", "2026-11-23T08:33:54Z", "2026-11-23T08:33:54.000Z", id="date of ISO text"),
        pytest.param("date", 1795422834, "2026-11-23T08:33:54.000Z", id="date of seconds"),
        pytest.param("date", "tomorrow", None, id="no date of words"),
        pytest.param("date_nanos", 1795422834012345678, "2026-11-23T08:33:54.012345678Z", id="date of nanoseconds"),
        pytest.param("date_nanos", 1795422834, "2026-11-23T08:33:54.000Z", id="nanoseconds of seconds"),
        pytest.param("date_nanos", {}, None, id="no date of an object"),
        pytest.param("text", "x" * 9000, "x" * 9000, id="text is not cut"),
        pytest.param("text", {"a": 1}, '{"a": 1}', id="text of an object"),
        pytest.param("text", "", None, id="no text of nothing"),
        pytest.param("ip", "10.0.0.1", "10.0.0.1", id="address"),
        pytest.param("ip", "FE80::1", "fe80::1", id="address of version 6"),
        pytest.param("ip", "localhost", None, id="a name is no address"),
        pytest.param("ip", 1, None, id="a number is no address"),
        pytest.param("boolean", True, True, id="boolean"),
        pytest.param("boolean", "true", None, id="no boolean of text"),
        pytest.param("milliseconds", "1.5", 1_500_000, id="milliseconds to nanoseconds"),
        pytest.param("milliseconds", "x", None, id="no milliseconds of words"),
        pytest.param("bytes", "0B", 0.0, id="bytes"),
        pytest.param("bytes", "20.5GiB", 20.5 * 2**30, id="binary unit"),
        pytest.param("bytes", "2KB", 2000.0, id="decimal unit"),
        pytest.param("bytes", "2 GB", None, id="no bytes with a blank"),
        pytest.param("entries", "\n 1 node_a\n 2 node_b", 3, id="entries are added up"),
        pytest.param("entries", "\n (no pending nodes)", 0, id="no entries"),
        pytest.param("entries", "\n node_a: launching", 1, id="an entry without a number"),
        pytest.param("demands", "\n {'CPU': 1.0}: 4+ pending tasks/actors\n {'GPU': 1.0}: 2 pending", 6, id="demands"),
        pytest.param("demands", "\n (no resource demands)", 0, id="no demands"),
        pytest.param("outcome", "OK", "success", id="success"),
        pytest.param("outcome", "ERROR", "failure", id="failure"),
        pytest.param("base64_id", "BwAAAA==", "07000000", id="id of a job"),
        pytest.param("base64_id", "ab" * 28, "ab" * 28, id="a hexadecimal id stays"),
        pytest.param("base64_id", "07000000", "07000000", id="a hexadecimal id of a job stays"),
        pytest.param("base64_id", "", None, id="no id"),
        pytest.param("base64_id", 7, None, id="no id of a number"),
        pytest.param("base64_id", "not base64!", "not base64!", id="another id stays"),
        pytest.param("base64_id", "YWJj==", "YWJj==", id="another id with more padding than it needs"),
        pytest.param("base64_id", "ab\ud800", "ab\ufffd", id="another id without half a surrogate pair"),
    ],
)
def test_value(kind: str, raw: t.Any, expected: t.Any) -> None:
    assert _convert.value(raw, kind) == expected


@pytest.mark.parametrize(
    ("raw", "level"),
    [
        pytest.param("I", "INFO", id="letter"),
        pytest.param(" warn ", "WARNING", id="word in lower case with blanks"),
        pytest.param("FATAL", "CRITICAL", id="another word"),
        pytest.param(40, "ERROR", id="Python's number"),
        pytest.param(True, None, id="a truth value"),
        pytest.param(15, None, id="a number of none"),
        pytest.param("gold", None, id="a word of none"),
        pytest.param(["INFO"], None, id="a list"),
        pytest.param(None, None, id="null"),
    ],
)
def test_read_level(raw: t.Any, level: str | None) -> None:
    assert _convert.read_level(raw, LEVELS) == level


@pytest.mark.parametrize(
    ("stated", "answer"),
    [
        pytest.param("2026-11-23T08:33:54Z", True, id="Z"),
        pytest.param("2026-11-23T08:33:54+0530", True, id="offset"),
        pytest.param("2026-11-23 08:33:54 UTC ", True, id="UTC"),
        pytest.param("2026-11-23T08:33:54", False, id="none"),
    ],
)
def test_states_zone(stated: str, answer: bool) -> None:
    assert _convert.states_zone(stated) is answer


@pytest.mark.parametrize(
    ("record", "path", "expected"),
    [
        pytest.param({"a": {"b": 1}}, "a.b", 1, id="nested"),
        pytest.param({"a.b": 1}, "a.b", 1, id="a key with a dot"),
        pytest.param({"a": {"b.c": {"d": 1}}}, "a.b.c.d", 1, id="a key with a dot inside"),
        pytest.param({"a": 1}, "a.b", None, id="no object on the way"),
        pytest.param({"a": {}}, "a.b", None, id="missing"),
        pytest.param([1], "a", None, id="no object at all"),
    ],
)
def test_at_path(record: t.Any, path: str, expected: t.Any) -> None:
    assert _convert.at_path(record, path.split(".")) == expected


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "raw",
    [
        *("9" * 400, "9" * 400 + "GiB", "9" * 5000 + "B", "1e308", "²", "٣٤", "\ud800", "", "nan", "-inf"),
        *("2026-11-23 08:33:²²,012", "2026-11-23 08:33:٣٤,012", "2026-11-23 08:33:1", "2026-11-23T08:33:34.²²²Z"),
        *(": " + "9" * 5000 + "+ ", "\n " + "9" * 5000 + " node", 1e308, -1e308, float("nan"), float("inf"), 10**400),
        *(True, None, [], {}, [{"a": 1}], {"a": [1]}),
    ],
    ids=lambda raw: repr(raw)[:20],
)
def test_whatever_a_line_holds_becomes_a_value_that_a_server_takes(kind: str, raw: t.Any) -> None:
    value = _convert.value(raw, kind)
    json.dumps(value, allow_nan=False).encode()
    assert not isinstance(value, int) or abs(value) < 2**63
    assert not kind.startswith("date") or value is None or value.isascii()


def read(record: dict[str, t.Any], base: dict[str, t.Any] | None = None) -> _convert.JsonEvent:
    return KEYS.read(record, base or {}, LEVELS)


def test_every_short_name_is_renamed() -> None:
    """What the article advises to log is renamed to the fields of the schema, all at once."""
    names = ("actor_id", "task_id", "job_id", "worker_id", "node_id", "actor_name", "task_name")
    found = read(
        {"level": "error", "timestamp": "2026-11-23T08:33:54Z", "message": "m", **{name: name for name in names}}
    )
    assert found.fields == {f"ray.{name}": name for name in names}
    assert (found.level, found.message, found.time) == ("ERROR", "m", "2026-11-23T08:33:54Z")
    assert found.consumed == {"level", "timestamp", "message", *names}


@pytest.mark.parametrize(
    ("record", "fields"),
    [
        pytest.param({"lineno": "7"}, {"log.origin.file.line": 7}, id="number as text"),
        pytest.param({"lineno": "seven"}, {}, id="words for a number stay a label"),
        pytest.param({"process": 1, "pid": 2}, {"process.pid": 1}, id="the first key wins"),
        pytest.param({"process": "x", "pid": 2}, {"process.pid": 2}, id="the first that fits wins"),
        pytest.param({"name": None}, {}, id="null is nothing"),
        pytest.param({"actor_id": {"a": 1}}, {}, id="an object is no id"),
    ],
)
def test_json_fields(record: dict[str, t.Any], fields: dict[str, t.Any]) -> None:
    found = read(record)
    assert found.fields == fields
    assert len(found.consumed) == len(fields)


@pytest.mark.parametrize(
    ("record", "message"),
    [
        pytest.param({"message": "m", "msg": "n"}, "m", id="the first key"),
        pytest.param({"msg": {"a": 1}}, '{"a": 1}', id="an object as text"),
        pytest.param({"message": None, "text": "t"}, "t", id="null is nothing"),
        pytest.param({"other": "o"}, None, id="none"),
    ],
)
def test_json_message(record: dict[str, t.Any], message: str | None) -> None:
    assert read(record).message == message


@pytest.mark.parametrize(
    ("record", "stack"),
    [
        pytest.param({"exc_text": "Traceback"}, "Traceback", id="exc_text"),
        pytest.param({"exc_text": "", "stack_info": "S"}, "S", id="an empty one is none"),
        pytest.param({"exc_info": ["a"]}, '["a"]', id="a list as text"),
        pytest.param({}, "", id="none"),
    ],
)
def test_json_stack(record: dict[str, t.Any], stack: str) -> None:
    assert read(record).stack_trace == stack


def test_component_of_the_file_is_no_label() -> None:
    assert "component" in read({"component": "raylet"}, {"ray.component": "raylet"}).consumed
    assert "component" not in read({"component": "mine"}, {"ray.component": "raylet"}).consumed


def test_text_is_decoded_whatever_it_holds() -> None:
    assert _convert.text(b"a\xffb") == "a\ufffdb"
