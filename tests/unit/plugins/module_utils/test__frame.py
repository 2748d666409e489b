# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which lines make one event."""

from __future__ import annotations

import io

import pytest
from ansible_collections.raylogs.efk.plugins.module_utils import _frame

from tests.parsing import CATALOGUE, WORKER, events, items, messages

RAYLET = "raylet.out"
HEAD = b"[2026-11-23 08:00:00,000 I 1 1] (raylet) a.cc:1: "
PYTHON = b"2026-11-23 08:00:00,000\tINFO a.py:1 -- "
ERROR = b"2026-11-23 08:00:00,000\tERROR a.py:1 -- "
STACK = b'Traceback (most recent call last):\n  File "a.py", line 1, in f\n    raise ValueError("x")\nValueError: x\n'
REMOTE = b'ray.exceptions.RayTaskError(ValueError): ray::f() (pid=1)\n  File "b.py", line 2, in f\nValueError: inner\n'
CAUSE = b"\nThe above exception was the direct cause of the following exception:\n\n"
GROUP = (
    b"  + Exception Group Traceback (most recent call last):\n"
    b'  |   File "a.py", line 1, in <module>\n'
    b"  | ExceptionGroup: two (2 sub-exceptions)\n"
    b"  +-+---------------- 1 ----------------\n"
    b"    | ValueError: a\n"
    b"    +---------------- 2 ----------------\n"
    b"    | TypeError: b\n"
    b"    +------------------------------------\n"
)
CRASH = b"*** SIGSEGV received at time=1795422844 on cpu 1 ***\nPC: @     0x7f  (unknown)\n    @     0x7e  (unknown)\n"
FATAL = (
    b'Fatal Python error: Segmentation fault\n\nStack (most recent call first):\n  File "a.py", line 1 in f\n\n'
    b"Extension modules: a, b (total: 2)\n"
)


@pytest.mark.parametrize(
    ("text", "sizes"),
    [
        pytest.param(b"a\nb\n", [2, 2], id="a line is an event"),
        pytest.param(b"a\n b\n\tc\nd\n", [8, 2], id="indented lines go on"),
        pytest.param(b"a\n\n b\n", [2, 1, 3], id="a blank line ends an event"),
        pytest.param(b"a", [1], id="no newline at the end"),
        pytest.param(b"\n \n\t\n", [1, 2, 2], id="only blank lines"),
        pytest.param(b"", [], id="an empty file"),
        pytest.param(STACK + b"next\n", [len(STACK), 5], id="a traceback"),
        pytest.param(ERROR + b"m\n" + STACK + b"next\n", [len(ERROR) + 2 + len(STACK), 5], id="logger.exception"),
        pytest.param(PYTHON + b"m\n" + STACK, [len(PYTHON) + 2, len(STACK)], id="a traceback after INFO is its own"),
        pytest.param(b"print\n" + STACK, [6, len(STACK)], id="a traceback after a print is its own"),
        pytest.param(STACK + CAUSE + STACK + b"next\n", [2 * len(STACK) + len(CAUSE), 5], id="a cause"),
        pytest.param(STACK + b"\nnext\n", [len(STACK) + 1, 5], id="a blank line behind a traceback"),
        pytest.param(STACK + CAUSE + b"next\n", [len(STACK) + len(CAUSE), 5], id="a cause that is not there"),
        pytest.param(STACK[:-14] + REMOTE + b"next\n", [len(STACK) - 14 + len(REMOTE), 5], id="the stack of a task"),
        pytest.param(
            STACK[:-14] + REMOTE + CAUSE + b"ray::g() (pid=2)\n" + STACK[35:] + b"next\n",
            [len(STACK) - 14 + len(REMOTE) + len(CAUSE) + 17 + len(STACK) - 35, 5],
            id="the cause of a task's error",
        ),
        pytest.param(
            STACK[:-14] + b"RuntimeError: " + STACK + b"next\n",
            [2 * len(STACK), 5],
            id="a traceback as text of an error",
        ),
        pytest.param(STACK + b"  more\n" + b"next\n", [len(STACK) + 7, 5], id="a message of two lines"),
        pytest.param(GROUP + b"next\n", [len(GROUP), 5], id="an exception group"),
        pytest.param(ERROR + b"m\n" + GROUP + b"next\n", [len(ERROR) + 2 + len(GROUP), 5], id="a logged group"),
        pytest.param(CRASH + b"next\n", [len(CRASH), 5], id="a native crash"),
        pytest.param(FATAL + b"next\n", [len(FATAL), 5], id="Python's own report of a crash"),
        pytest.param(CRASH + FATAL, [len(CRASH), len(FATAL)], id="both"),
        pytest.param(b":job_id:01000000\na\n", [17, 2], id="a magic line"),
        pytest.param(b"a\n:task_name:f\n b\n", [2, 13, 3], id="a magic line ends an event"),
        pytest.param(b":job:1\n", [7], id="what is no magic line"),
        pytest.param(b'{"a": 1}\n b\n', [9, 3], id="JSON is one line"),
        pytest.param(b'{"a": 1\n', [8], id="a cut JSON line is text"),
        pytest.param(b"[1, 2]\n", [7], id="a JSON list is text"),
        pytest.param(b"{}\n", [3], id="an empty JSON object is text"),
    ],
)
def test_free_text(text: bytes, sizes: list[int]) -> None:
    found = items(text)
    assert [item.size for item in found] == sizes
    assert [item.offset for item in found] == [sum(sizes[:number]) for number in range(len(sizes))]


@pytest.mark.parametrize(
    ("text", "sizes"),
    [
        pytest.param(HEAD + b"a\n" + HEAD + b"b\n", [len(HEAD) + 2] * 2, id="headers"),
        pytest.param(HEAD + b"a\nb\n\n  c\n" + HEAD + b"d\n", [len(HEAD) + 9, len(HEAD) + 2], id="all else goes on"),
        pytest.param(b"\n" + HEAD + b"a\n", [1, len(HEAD) + 2], id="a blank line at the beginning"),
        pytest.param(b"x\ny\n" + HEAD + b"a\n", [4, len(HEAD) + 2], id="lines without a header at the beginning"),
        pytest.param(b'{"levelname":"I","message":"m"}\nx\n', [32, 2], id="what follows JSON is no part of it"),
        pytest.param(HEAD + b'a\n{"no": "log"}\n', [len(HEAD) + 16], id="JSON that is no log goes on"),
        pytest.param(HEAD + b"a\n[x]\n", [len(HEAD) + 6], id="a line that only begins alike"),
    ],
)
def test_header_files(text: bytes, sizes: list[int]) -> None:
    assert [item.size for item in items(text, name=RAYLET)] == sizes


@pytest.mark.parametrize(
    ("texts", "name", "tags"),
    [
        pytest.param([b"x\n"], RAYLET, ["unparsed"], id="not understood"),
        pytest.param([b"x\n"], f"{RAYLET}.2", ["fragment"], id="cut off by rotation"),
        pytest.param([HEAD + b"a\n", b"x\n"], RAYLET, None, id="joined with the piece before"),
        pytest.param([b'{"levelname":"I","message":"m"}\n', b"x\n"], RAYLET, ["fragment"], id="nothing to join"),
    ],
)
def test_lines_without_their_header(texts: list[bytes], name: str, tags: list[str] | None) -> None:
    assert events(*texts, name=name)[-1].get("tags") == tags


def test_a_traceback_torn_by_rotation_is_joined() -> None:
    for cut in [place + 1 for place, byte in enumerate(STACK[:-1]) if byte == ord("\n")]:
        assert messages(STACK[:cut], STACK[cut:] + b"next\n") == ["ValueError: x", "next"], cut


def test_a_line_torn_by_rotation_is_two_events() -> None:
    first, second = events(b"one li", b"ne\n")
    assert (first["message"], second["message"]) == ("one li", "ne")
    assert (first["event.id"], second["event.id"]) == ("key0:0", "key1:0")
    assert second["tags"] == ["split"]


@pytest.mark.parametrize("name", [WORKER, RAYLET])
def test_a_line_without_end_is_split_at_the_limit(name: str) -> None:
    size = 10 * 1024 * 1024
    found = items(b"x" * size, name=name)
    assert [item.size for item in found] == [CATALOGUE.event_bytes] * (size // CATALOGUE.event_bytes)
    assert all("split" in item.event["tags"] for item in found[1:] if item.event)


@pytest.mark.parametrize(
    ("name", "head"), [pytest.param(WORKER, b"", id="text"), pytest.param(RAYLET, HEAD, id="header")]
)
def test_an_event_of_many_lines_is_split_at_the_limit(name: str, head: bytes) -> None:
    text = head + b"first\n" + b"  more and more\n" * 50_000
    found = items(text, name=name)
    assert sum(item.size for item in found) == len(text)
    assert all(item.size <= CATALOGUE.event_bytes for item in found)
    assert all(item.event and item.event["tags"] == ["split"] for item in found[1:])
    assert len(found) == len(text) // CATALOGUE.event_bytes + 1


def test_a_line_of_64_kilobytes_is_one_event() -> None:
    assert messages(b"x" * 65536 + b"\n") == ["x" * 65536]


@pytest.mark.parametrize(
    ("cuts", "expected"),
    [
        pytest.param([], [b"one\n", b"two\n"], id="none"),
        pytest.param([4], [b"one\n", b"", b"two\n"], id="between lines"),
        pytest.param([2, 6], [b"on", b"", b"e\n", b"tw", b"", b"o\n"], id="in lines"),
        pytest.param([1, 2], [b"o", b"", b"n", b"", b"e\n", b"two\n"], id="twice in a line"),
        pytest.param([8], [b"one\n", b"two\n", b""], id="at the end"),
        pytest.param([0, 4], [b"", b"one\n", b"", b"two\n"], id="at the beginning"),
        pytest.param([4, 4], [b"one\n", b"", b"", b"two\n"], id="the same again"),
        pytest.param([9, 12], [b"one\n", b"two\n"], id="beyond the end"),
    ],
)
def test_read_lines(cuts: list[int], expected: list[bytes]) -> None:
    beyond: list[int] = []
    assert list(_frame.read_lines(io.BytesIO(b"one\ntwo\n"), 100, iter(cuts), beyond)) == expected
    assert beyond == [cut - 8 for cut in cuts if cut > 8]


def test_read_lines_in_pieces() -> None:
    assert list(_frame.read_lines(io.BytesIO(b"abcdefg\nh\n"), 3)) == [b"abc", b"def", b"g\n", b"h\n"]


def test_what_follows_a_stored_end_is_a_fragment() -> None:
    text = HEAD + b"a\nb\nc\n"
    found = items(text, name=RAYLET, cuts={0: iter([len(HEAD) + 4])})
    assert [(item.offset, item.size) for item in found] == [(0, len(HEAD) + 4), (len(HEAD) + 4, 2)]
    assert [item.event and item.event.get("tags") for item in found] == [None, ["fragment"]]


def test_an_end_in_the_next_piece_is_kept() -> None:
    """An event began in one piece, went on into the next, was stored, and grew after that."""
    first, second = HEAD + b"a\n", b"b\nc\nd\n"
    found = items(first, second, name=RAYLET, cuts={0: iter([len(first) + 2]), 1: iter([4])})
    assert [(item.piece, item.offset, item.size) for item in found] == [(0, 0, len(first) + 2), (1, 2, 2), (1, 4, 2)]


@pytest.mark.parametrize(
    ("line", "record"),
    [
        pytest.param(b'{"a": 1}\n', {"a": 1}, id="an object"),
        pytest.param(b'{"a": "\x1b[31m\x00"}', {"a": "\x1b[31m\x00"}, id="raw control bytes"),
        pytest.param(b'{"a": "\xff"}', {"a": "\ufffd"}, id="invalid UTF-8"),
        pytest.param(b'{"a": 1', None, id="cut"),
        pytest.param(b'{"\\ud800": "\\udfff\\ud83d\\ude00\\\\ud800"}', {"\ufffd": "\ufffd😀\\ud800"}, id="surrogates"),
        pytest.param(b"[1]", None, id="a list"),
        pytest.param(b"[" * 100_000, None, id="too deep"),
        pytest.param(b'{"a":' * 100_000, None, id="objects too deep"),
        pytest.param(b'{"a":' + b"[" * 900 + b"]" * 900 + b"}", None, id="read, but too deep to write"),
        pytest.param(b'{"a":[' + b"{}," * 900 + b"{}]}", {"a": [{}] * 901}, id="broad is not deep"),
        pytest.param(b'{"a": ' + b"9" * 5000 + b"}", None, id="a number that Python refuses"),
    ],
)
def test_parse_record(line: bytes, record: dict[str, object] | None) -> None:
    assert _frame.parse_record(line) == record


def test_no_depth_of_a_record_stops_an_import() -> None:
    """Near the limit of Python's stack a record can be read, but not written again."""
    for depth in range(300, 1000):
        line = b'{"levelname": "INFO", "message": "x", "deep": ' + b"[" * depth + b"]" * depth + b"}\n"
        assert [item.size for item in items(line)] == [len(line)]


@pytest.mark.parametrize(
    ("stored", "grown", "notes"),
    [
        pytest.param(b"half a li", b"half a line\n", ["", "fragment"], id="a line that was torn"),
        pytest.param(b"a\n", b"a\n  b\n", ["", "fragment"], id="an event that went on"),
        pytest.param(b"a\n", b"a\nb\n", ["", ""], id="a new event is no fragment"),
    ],
)
def test_what_grew_after_it_was_stored(stored: bytes, grown: bytes, notes: list[str]) -> None:
    found = items(grown, cuts={0: iter([len(stored)])})
    assert [(item.event or {}).get("tags", [""])[0] for item in found] == notes
