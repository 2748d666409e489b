# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an event says of its lines."""

from __future__ import annotations

import json
import typing as t

import pytest
from ansible_collections.raylogs.efk.plugins.module_utils import _catalogue, _clock, _event

from tests.parsing import CATALOGUE, CREATED, WORKER, events, items, messages

CPP = b"[2026-11-23 08:00:00,012 W 11 12] (raylet) a/b.cc:34: "
PYTHON = b"2026-11-23 08:00:00,012\tINFO a.py:34 -- "
IDS = " ".join(
    [
        *("name=root", "job_id=01000000", f"worker_id={'ab' * 28}", f"actor_id={'cd' * 16}"),
        *("task_func_name=m.f", "timestamp_ns=1795420800012345678"),
    ]
).encode()
DRIVER = "job-driver-raysubmit_1.log"
TIMED = "2026-11-23T08:00:00.012Z"


def one(text: bytes, **known: t.Any) -> _event.Event:
    """Return the only event of a text."""
    (event,) = events(text, **known)
    return event


def some(event: _event.Event, *names: str) -> tuple[t.Any, ...]:
    """Return some fields of an event."""
    return tuple(event.get(name) for name in names)


@pytest.mark.parametrize(
    ("line", "level", "time", "message"),
    [
        pytest.param(CPP + b"m", "WARNING", TIMED, "m", id="C++"),
        pytest.param(CPP.replace(b"(raylet) ", b"") + b"m", "WARNING", TIMED, "m", id="C++ without a component"),
        pytest.param(CPP.replace(b" W ", b" F ") + b"m", "CRITICAL", TIMED, "m", id="C++, fatal"),
        pytest.param(PYTHON + b"m", "INFO", TIMED, "m", id="Python"),
        pytest.param(PYTHON.replace(b"INFO", b"SUCC") + b"m", "INFO", TIMED, "m", id="ray start"),
        pytest.param(PYTHON.replace(b"INFO", b"TRACE") + b"m", "DEBUG", TIMED, "m", id="Ray Data"),
        pytest.param(b"INFO 2026-11-23 08:00:00,012 controller 7 -- m", "INFO", TIMED, "m", id="Serve"),
        pytest.param(
            b"ERROR 2026-11-23 08:00:00,012 app_D abcd1234 12345678-1234-1234-1234-123456789012 /r a.py:1 - m",
            *("ERROR", TIMED, "m"),
            id="Serve of Ray 2.9",
        ),
        pytest.param(b"2026-11-23 08:00:00,012 - app.x - ERROR - m", "ERROR", TIMED, "m", id="time, name, level"),
        pytest.param(b"2026-11-23 08:00:00,012 ERROR app.x: m", "ERROR", TIMED, "m", id="time, level, name"),
        pytest.param(b"2026-11-23 08:00:00,012 [ERROR] m", "ERROR", TIMED, "m", id="level in brackets"),
        pytest.param(b"2026-11-23T08:00:00.012Z ERROR m", "ERROR", TIMED, "m", id="ISO time"),
        pytest.param(b"2026-11-23T13:30:00.012+05:30 ERROR m", "ERROR", TIMED, "m", id="ISO time with an offset"),
        pytest.param(b"2026-11-23 08:00:00.012 | ERROR | m", "ERROR", TIMED, "m", id="bars"),
        pytest.param(b"ERROR:app:m", "ERROR", None, "m", id="basicConfig"),
        pytest.param(b"just text", None, None, "just text", id="a print"),
        pytest.param(b"ERROR is a word", None, None, "ERROR is a word", id="a level alone is none"),
    ],
)
def test_line(line: bytes, level: str | None, time: str | None, message: str) -> None:
    event = one(line + b"\n")
    assert some(event, "log.level", "message") == (level, message)
    assert event["ray.time_source"] == ("line" if time else "read")
    assert event["@timestamp"] == (time or CREATED.text)


def test_fields_of_a_line_of_cpp() -> None:
    event = one(CPP + b"m\n")
    assert some(event, "process.pid", "process.thread.id", "log.origin.file.name", "log.origin.file.line") == (
        *(11, 12, "a/b.cc", 34),
    )
    assert some(event, "ray.component", "event.dataset", "event.id", "log.offset", "ray.bytes") == (
        *("raylet", "ray.log", "key0:0", 0, len(CPP) + 2),
    )
    assert event["ray.lag_ms"] == CREATED.ms - 1795420800012


@pytest.mark.parametrize(
    ("head", "fields"),
    [
        pytest.param("INFO 2026-11-23 08:00:00,012 controller 7 -- ", ("controller", "7", None, None), id="controller"),
        pytest.param("INFO 2026-11-23 08:00:00,012 proxy 10.0.0.1 -- ", ("proxy", "10.0.0.1", None, None), id="proxy"),
        pytest.param(
            "INFO 2026-11-23 08:00:00,012 my_app_D ab12cd34 -- ", ("replica", None, "my_app_D", "my_app"), id="replica"
        ),
        pytest.param("INFO 2026-11-23 08:00:00,012 D ab12cd34 -- ", ("replica", None, "D", "D"), id="no application"),
    ],
)
def test_serve(head: str, fields: tuple[str | None, ...]) -> None:
    event = one(f"{head}GET /a 503 4.5ms\n".encode(), name="serve/other.log")
    assert some(event, "ray.serve.component", "ray.serve.id", "ray.serve.deployment", "ray.serve.application") == fields
    assert some(event, "http.request.method", "url.path", "http.response.status_code", "event.duration") == (
        *("GET", "/a", 503, 4_500_000),
    )


def test_pairs_of_the_writer() -> None:
    event = one(PYTHON + b"it works " + IDS + b"\n")
    assert event["message"] == "it works"
    assert some(event, "ray.job_id", "ray.worker_id", "ray.actor_id", "log.logger") == (
        *("01000000", "ab" * 28, "cd" * 16, "root"),
    )
    assert some(event, "labels", "ray.timestamp") == ({"task_func_name": "m.f"}, "2026-11-23T08:00:00.012345678Z")


def test_pairs_behind_a_traceback() -> None:
    stack = b'm\nTraceback (most recent call last):\n  File "a.py", line 1\nValueError: x '
    event = one(PYTHON.replace(b"INFO", b"ERROR") + stack + IDS + b"\n")
    assert some(event, "message", "error.type", "error.message") == ("m\nValueError: x", "ValueError", "x")
    assert event["ray.job_id"] == "01000000"


@pytest.mark.parametrize(
    "message",
    [
        pytest.param("f(job_id='01', node_id='ab')", id="arguments"),
        pytest.param("job_id=01 was started", id="in front"),
        pytest.param("is_id=1 done name=x", id="a name alone"),
    ],
)
def test_pairs_in_the_text_stay_there(message: str) -> None:
    event = one(PYTHON + message.encode() + b"\n")
    assert event["message"] == message
    assert not {"ray.job_id", "ray.node_id", "log.logger"} & event.keys()


def test_pairs_of_the_subject() -> None:
    event = one(CPP + b"Worker died. worker_id=x job_id=01000000\n", name="raylet.out")
    assert event["message"] == "Worker died. worker_id=x job_id=01000000"
    assert some(event, "ray.worker_id", "ray.job_id") == ("x", "01000000")


def test_pairs_of_the_subject_do_not_replace_the_file() -> None:
    name = f"python-core-worker-{'ab' * 28}_7.log"
    event = one(CPP + b"Peer worker_id=x\n", name=name, base={"event.dataset": "d", "ray.worker_id": "own"})
    assert event["ray.worker_id"] == "own"


def test_pairs_a_time_that_is_none() -> None:
    assert one(PYTHON + b"m job_id=01 timestamp_ns=soon\n")["@timestamp"] == TIMED


def test_json_every_alias_is_renamed() -> None:
    names = ["actor_id", "task_id", "job_id", "worker_id", "node_id", "actor_name", "task_name"]
    record = {"level": "error", "timestamp": "2026-11-23T08:00:00.012Z", "message": "m", "@log_name": "x"}
    event = one(json.dumps({**record, **dict.fromkeys(names, "v")}).encode() + b"\n")
    aliases = {field["name"] for field in _catalogue.schema_fields() if field["type"] == "alias"}
    assert not aliases & event.keys()
    assert {event[f"ray.{name}"] for name in names} == {"v"}
    assert some(event, "log.level", "@timestamp", "message", "labels") == ("ERROR", TIMED, "m", {"@log_name": "x"})


@pytest.mark.parametrize(
    ("record", "time", "source"),
    [
        pytest.param({"asctime": "2026-11-23 08:00:00,012"}, TIMED, "line", id="asctime"),
        pytest.param(
            {"asctime": "2026-11-23 13:30:00,012", "timestamp_ns": 1795420800012345678}, TIMED, "line", id="exact"
        ),
        pytest.param({"timestamp_ns": "1795420800012345678"}, TIMED, "line", id="exact as text"),
        pytest.param({"timestamp_ns": -1, "asctime": "2026-11-23 08:00:00,012"}, TIMED, "line", id="exact is none"),
        pytest.param({"timestamp_ns": 0, "ts": 1795420800.012}, TIMED, "line", id="seconds of an application"),
        pytest.param({"timestamp": "2026-11-23T08:00:00.012"}, TIMED, "line", id="local ISO time"),
        pytest.param({"timestamp": "soon"}, CREATED.text, "read", id="no time"),
        pytest.param({}, CREATED.text, "read", id="none"),
    ],
)
def test_json_time(record: dict[str, t.Any], time: str, source: str) -> None:
    event = one(json.dumps({"message": "m", **record}).encode() + b"\n")
    assert some(event, "@timestamp", "ray.time_source") == (time, source)


def test_json_zone_is_not_assumed_for_exact_times() -> None:
    text = b'{"timestamp": "2026-11-23T08:00:00Z"}\nprint\n{"asctime": "2026-11-23 08:00:00,012"}\nprint\n'
    tags = [event.get("tags") for event in events(text, zone_assumed=True)]
    assert tags == [None, None, ["zone_assumed"], ["zone_assumed"]]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        pytest.param(b'{"a": 1}', '{"a": 1}', id="no message: the line"),
        pytest.param(b'{"message": "\\u001b[31mred\\u001b[0m"}', "red", id="escaped colours"),
        pytest.param(b'{"message": "\x1b[31mred\x1b[0m"}', "red", id="raw colours"),
        pytest.param(b'{"message": "10%\\r100%"}', "100%", id="a progress bar"),
        pytest.param(b'{"message": "\\n\\nm\\n"}', "m", id="newlines around"),
        pytest.param(b'{"message": {"a": 1}}', '{"a": 1}', id="an object"),
        pytest.param(b'{"message": "\\ud800"}', "\ufffd", id="half a surrogate pair"),
        pytest.param(b'{"message": "m", "x": NaN}', "m", id="NaN"),
        pytest.param(b'{"message": "", "exc_info": "  "}', "", id="a blank traceback and nothing else"),
        pytest.param(b'{"message": "m", "x": 1e999}', "m", id="infinity"),
    ],
)
def test_json_message(line: bytes, message: str) -> None:
    event = one(line + b"\n")
    assert event["message"] == message
    json.dumps(event, allow_nan=False).encode("utf-8")


def test_json_stack() -> None:
    stack = 'Traceback (most recent call last):\n  File "a.py", line 1\nKeyError: 1'
    event = one(json.dumps({"message": "failed", "exc_text": stack}).encode() + b"\n")
    assert some(event, "message", "error.type", "error.message", "error.stack_trace") == (
        *("failed\nKeyError: 1", "KeyError", "1", stack),
    )


def test_json_own_fields_are_promoted() -> None:
    extra = (
        ("app.loss", "double", ("metrics", "loss")),
        ("app.step", "long", ("step",)),
        ("app.none", "long", ("none",)),
    )
    event = one(b'{"message": "m", "metrics": {"loss": "0.5"}, "step": "x"}\n', extra_fields=extra)
    assert some(event, "app.loss", "app.step", "app.none") == (0.5, None, None)
    assert event["labels"] == {"metrics": {"loss": "0.5"}, "step": "x"}


def test_json_secrets_are_not_kept() -> None:
    assert "labels" not in one(b'{"message": "m", "env_vars": {"TOKEN": "x"}}\n')


def test_json_json_in_files_of_ray_keeps_its_dataset() -> None:
    line = b'{"asctime":"2026-11-23 08:00:00,012","levelname":"I","message":"m","component":"raylet"}\n'
    event = one(line, name="raylet.out")
    assert some(event, "event.dataset", "labels", "log.level") == ("ray.raylet", None, "INFO")


@pytest.mark.parametrize(
    ("text", "type_", "said", "message"),
    [
        pytest.param("ValueError: x", "ValueError", "x", "ValueError: x", id="with a text"),
        pytest.param("KeyboardInterrupt", "KeyboardInterrupt", None, "KeyboardInterrupt", id="without a text"),
        pytest.param("a.b.C: x: y", "a.b.C", "x: y", "a.b.C: x: y", id="of a module"),
        pytest.param("a.E(ValueError): x", "a.E(ValueError)", "x", "a.E(ValueError): x", id="of Ray"),
        pytest.param("ValueError: a\nsome more text", "ValueError", "a", "ValueError: a", id="of two lines"),
    ],
)
def test_traceback_last_line(text: str, type_: str, said: str | None, message: str) -> None:
    stack = f'Traceback (most recent call last):\n  File "a.py", line 1, in f\n{text}\n'
    event = events(stack.encode())[0]
    assert some(event, "error.type", "error.message", "message", "log.level") == (type_, said, message, "ERROR")


def test_traceback_group() -> None:
    text = (
        b'  + Exception Group Traceback (most recent call last):\n  |   File "a.py", line 1\n'
        b"  | ExceptionGroup: two (2 sub-exceptions)\n  +-+--- 1 ---\n    | ValueError: a\n    +---\n"
    )
    event = one(text)
    assert some(event, "error.type", "error.message", "message", "log.level") == (
        *("ExceptionGroup", "two (2 sub-exceptions)", "ExceptionGroup: two (2 sub-exceptions)", "ERROR"),
    )


def test_traceback_cut_before_its_last_line() -> None:
    event = one(b'Traceback (most recent call last):\n  File "a.py", line 1\n')
    assert some(event, "error.type", "message") == (None, 'File "a.py", line 1')
    assert event["error.stack_trace"].startswith("Traceback")


def test_traceback_native_crash() -> None:
    event = one(b"*** SIGSEGV received at time=1795420800 on cpu 1 ***\nPC: @ 0x1 f\n")
    assert some(event, "log.level", "error.type", "@timestamp", "ray.time_source") == (
        *("CRITICAL", "SIGSEGV", "2026-11-23T08:00:00.000Z", "line"),
    )


def test_traceback_report_of_python() -> None:
    event = one(b'Fatal Python error: Aborted\n\nStack (most recent call first):\n  File "a.py", line 1\n')
    assert some(event, "log.level", "error.type", "ray.time_source") == ("CRITICAL", "Aborted", "read")


def test_context_magic_lines() -> None:
    text = b":job_id:02000000\n:actor_name:Counter(n=0)\na\n:task_name:f\nb\n:actor_name:x y\nc\n:task_name:\nd\n"
    assert [some(event, "ray.job_id", "ray.actor_class", "ray.task_name") for event in events(text)] == [
        ("02000000", "Counter", None),
        ("02000000", "Counter", "f"),
        ("02000000", "x y", "f"),
        ("02000000", "x y", ""),
    ]


def test_context_forged_magic_lines_are_those_of_their_file_alone() -> None:
    assert events(b":actor_name:Forged\na\n")[0]["ray.actor_class"] == "Forged"
    assert "ray.actor_class" not in events(b"a\n")[0]


def test_context_time_of_the_line_before() -> None:
    found = events(PYTHON + b"m\nprint\n")
    assert [some(event, "@timestamp", "ray.time_source") for event in found] == [
        (TIMED, "line"),
        (TIMED, "previous"),
    ]
    assert "ray.lag_ms" not in found[1]


def test_context_time_of_a_line_that_is_left_out() -> None:
    head = b"[2026-11-23 08:00:00,012 I 1 1] (raylet) a.cc:1: Event stats:\nx\n"
    json_line = b'{"levelname":"I","message":"Event stats:","asctime":"2026-11-23 08:00:00,012"}\nx\n'
    omissions = tuple(CATALOGUE.omissions(CATALOGUE.classify("raylet.out").kind, "standard"))
    assert [item.what for item in items(head, name="raylet.out", omissions=omissions)] == ["event_stats"]
    found = items(json_line, name="raylet.out", omissions=omissions)
    assert [item.what for item in found] == ["event_stats", "event"]
    assert found[1].event
    assert some(found[1].event, "@timestamp", "ray.time_source", "tags") == (TIMED, "previous", ["unparsed"])


def test_context_what_is_left_out_without_its_header() -> None:
    omissions = tuple(CATALOGUE.omissions(CATALOGUE.classify("raylet.out").kind, "standard"))
    assert [item.what for item in items(b"[state-dump] x\n", name="raylet.out.1", omissions=omissions)] == [
        "state_dump"
    ]


def test_context_time_of_the_file() -> None:
    moment = _clock.from_ms(1795420800012)
    assert some(one(b"a\n", file_time=moment), "@timestamp", "ray.time_source") == (TIMED, "file")


def test_context_tasks_by_offset() -> None:
    spans = (
        _event.Span(2, 4, {"ray.task_id": "t1", "ray.task_name": "f"}, 1795420800012),
        _event.Span(6, 8, {"ray.task_id": "t2"}, None),
    )
    found = events(b"a\nb\nc\nd\ne\n", spans=spans)
    assert [some(event, "ray.task_id", "ray.task_name", "ray.time_source") for event in found] == [
        *((None, None, "read"), ("t1", "f", "task"), (None, None, "read"), ("t2", None, "read")),
        (None, None, "read"),
    ]
    assert all(value is not None for event in found for value in event.values())


def test_context_invalid_utf8_is_tagged_once() -> None:
    assert one(b"\xff\xfe\n")["tags"] == ["invalid_utf8"]


LINE = b"\x1b[36m(f pid=7, ip=10.0.0.1)\x1b[0m a line\x1b[32m [repeated 4x across cluster]\x1b[0m\n"


def copy_rule(name: str) -> _catalogue.Copy:
    """Return a rule of the catalogue."""
    return next(rule for rule in CATALOGUE.copies if rule.id == name)


def test_copies_left_out_while_the_original_is_there() -> None:
    asked: list[dict[str, str]] = []

    def there(words: dict[str, str]) -> bool:
        asked.append(words)
        return True

    found = items(LINE, name=DRIVER, copies=((copy_rule("driver_copy"), there),))
    assert [(item.what, item.event) for item in found] == [("driver_copy", None)]
    assert asked == [{"copy_of": "f", "copy_pid": "7", "copy_ip": "10.0.0.1"}]


@pytest.mark.parametrize(
    ("is_there", "keep"), [pytest.param(False, False, id="no original"), pytest.param(True, True, id="keep copies")]
)
def test_copies_kept_and_marked(is_there: bool, keep: bool) -> None:
    copies = ((copy_rule("driver_copy"), lambda _words: is_there),)
    event = one(LINE, name=DRIVER, copies=copies, keep_copies=keep)
    assert some(event, "message", "ray.copy_of", "tags") == (
        *("a line [repeated 4x across cluster]", "driver_copy", ["copy"]),
    )


def test_copies_without_a_rule_nothing_is_marked() -> None:
    assert "ray.copy_of" not in one(LINE, name=DRIVER)


@pytest.mark.parametrize("keep", [True, False])
def test_copies_json(keep: bool) -> None:
    line = b'{"asctime": "2026-11-23 08:00:00,012", "message": "m", "worker_id": "w"}\nnext\n'
    copies = ((copy_rule("driver_copy_json"), lambda words: words == {"worker_id": "w"}),)
    found = items(line, name=DRIVER, copies=copies, keep_copies=keep)
    assert [item.what for item in found] == (["event", "event"] if keep else ["driver_copy_json", "event"])
    assert found[1].event
    assert found[1].event["@timestamp"] == TIMED
    if keep:
        assert found[0].event
        assert found[0].event["ray.copy_of"] == "driver_copy_json"


def test_copies_text_without_a_prefix() -> None:
    copies = ((copy_rule("driver_copy_text"), lambda words: words.get("worker_id") == "ab" * 28),)
    found = items(PYTHON + b"m " + IDS + b"\n" + PYTHON + b"own line\n", name=DRIVER, copies=copies)
    assert [item.what for item in found] == ["driver_copy_text", "event"]
    assert found[1].event
    assert "ray.copy_of" not in found[1].event


def test_copies_same_line() -> None:
    name = f"train/ray-train-app-worker-{'ab' * 28}.log"
    line = b'{"asctime": "2026-11-23 08:00:00,012", "levelname": "INFO", "message": "m"}\n'
    copies = ((copy_rule("train_app"), lambda words: words["message"] == "m"),)
    assert [item.what for item in items(line, name=name, copies=copies)] == ["train_app"]


@pytest.mark.parametrize(
    ("level", "message", "covered"),
    [
        pytest.param("INFO", "x", True, id="the level"),
        pytest.param("WARNING", "x", False, id="another level"),
        pytest.param(None, "x", False, id="no level"),
        pytest.param("INFO", "y", False, id="another message"),
    ],
)
def test_omission(level: str | None, message: str, covered: bool) -> None:
    assert _catalogue.Omission("o", frozenset({"INFO"}), lambda text: text == "x").covers(level, message) is covered
    assert _catalogue.Omission("o", frozenset(), None).covers(level, message) is True


def test_autoscaler_report() -> None:
    text = (
        "2026-11-23 08:00:00,012\tINFO autoscaler.py:1 -- \n======== Autoscaler status: x ========\n"
        "Node status\n----\nActive:\n"
        " 2 node_a\n 1 node_b\nPending:\n node_c: launching\nRecent failures:\n (no failures)\n\n"
        "Resources\n----\nTotal Usage:\n"
        " 1.5/8.0 CPU\n 0.0/2.0 GPU\n 0B/2.00GiB memory\n 1.00MiB/2.00MiB object_store_memory\n\nPending Demands:\n"
        " {'CPU': 1.0}: 4+ pending tasks/actors\n"
    )
    event = one(text.encode(), name="monitor.log")
    resources = {name[len("ray.resources.") :]: value for name, value in event.items() if "ray.resources" in name}
    assert event["event.dataset"] == "ray.autoscaler_status"
    assert resources == {
        "cpu.used": 1.5,
        "cpu.total": 8.0,
        "gpu.used": 0.0,
        "gpu.total": 2.0,
        "memory.used": 0.0,
        "memory.total": 2.0 * 2**30,
        "object_store.used": 2.0**20,
        "object_store.total": 2.0 * 2**20,
        "nodes.active": 3,
        "nodes.pending": 1,
        "nodes.failed": 0,
        "pending_demands": 4,
    }


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(b"nul \x00 bell \x07 vt \x0b\n", id="control bytes"),
        pytest.param(b"\xff\xfe\x80\n", id="invalid UTF-8"),
        pytest.param("\u2028\u2029\u202e\n".encode(), id="separators and directions"),
        pytest.param(b"\x1b[31m\n", id="only an escape"),
        pytest.param(b"\r\n\r\n", id="only CRLF"),
        pytest.param(b"[2026-99-99 99:99:99,999 I 1 1] a.cc:1: m\n", id="a header with no time"),
        pytest.param(b"[2026-11-23 08:00:00,012 X 1 1] a.cc:1: m\n", id="a header with no level"),
        pytest.param(b"[2026-11-23 08:00:00,012 I 99999999999999999999999 1] a.cc:1: m\n", id="a huge pid"),
        pytest.param(b'{"levelname": "I", "message": null}\n', id="a null message"),
        pytest.param(b'{"message": "m", "lineno": "--7", "process": "-"}\n', id="numbers that are none"),
        pytest.param(b'{"message": "m", "timestamp": 1e999, "ts": [1]}\n', id="times that are none"),
        pytest.param(b'{"message": "m", "' + b"k" * 9000 + b'": "' + b"v" * 90000 + b'"}\n', id="long keys and values"),
        pytest.param(b'{"message": "m", "a": ' + b"[" * 200 + b"]" * 200 + b"}\n", id="deep lists"),
        pytest.param(b'{"message": "m", "": {"": {"": 1}}, ".": 1}\n', id="empty keys"),
    ],
)
@pytest.mark.parametrize("name", [WORKER, "raylet.out", "serve/other.log", DRIVER])
def test_hostile_bytes_become_valid_events(text: bytes, name: str) -> None:
    found = items(text, name=name)
    assert sum(item.size for item in found) == len(text)
    fields = {field["name"]: field["type"] for field in _catalogue.schema_fields()}
    for event in (item.event for item in found if item.event):
        json.dumps(event, allow_nan=False, ensure_ascii=False).encode("utf-8")
        for field, value in event.items():
            assert field in fields, field
            assert fields[field] != "long" or abs(value) < 2**63, field


def test_a_truncated_last_line_is_kept() -> None:
    assert messages(b'{"message": "a"}\n{"message": "b') == ["a", '{"message": "b']
