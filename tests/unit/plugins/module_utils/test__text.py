# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Raw bytes to messages, messages to patterns, whatever an application logs to labels."""

from __future__ import annotations

import json
import typing as t

import pytest
from ansible_collections.raylogs.efk.plugins.module_utils import _catalogue, _text

CATALOGUE = _catalogue.load()
CLEANER = _text.Cleaner(CATALOGUE)
LIMITS = _text.LabelLimits(depth=3, keys=6, key_length=8, value_length=10, secret_keys=frozenset({"env_vars"}))


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        pytest.param(b"text\n", "text", id="no newline behind"),
        pytest.param(b"\n\ntext\n\n", "text", id="no newlines around"),
        pytest.param(b"a\n\nb\n", "a\n\nb", id="blank lines inside stay"),
        pytest.param(b"  indented\n", "  indented", id="blanks stay"),
        pytest.param(b"text\r\n", "text", id="CRLF"),
        pytest.param(b"a\r\nb\r\n", "a\nb", id="several CRLF lines"),
        pytest.param(b"\x1b[31mred\x1b[0m \x1b[1;32mgreen\x1b[m", "red green", id="colours"),
        pytest.param(b"\x1b[2Kline\x1b[1A\x1b[?25l", "line", id="movements of the cursor"),
        pytest.param(b"\x1b]0;title\x07text", "text", id="title of a terminal"),
        pytest.param(b"\x1b(Btext", "text", id="character set"),
        pytest.param(b"a\x1b", "a\x1b", id="a lone escape stays"),
        pytest.param(b" 10%|#\r 50%|##\r100%|###\n", "100%|###", id="last frame of a progress bar"),
        pytest.param(b"1/3\r2/3\r\n", "2/3", id="a frame that ends with a return"),
        pytest.param(b"first\rsecond\n", "first\nsecond", id="returns that are no progress bar become lines"),
        pytest.param(b"a\r\r\nb\n", "a\nb", id="several returns"),
        pytest.param(b"bad \xff utf8\n", "bad \ufffd utf8", id="invalid UTF-8"),
        pytest.param(b"nul \x00 bell \x07\n", "nul \x00 bell \x07", id="control characters stay"),
        pytest.param("Zeilen\u2028trenner".encode(), "Zeilen\u2028trenner", id="U+2028 stays"),
        pytest.param(b"", "", id="nothing"),
        pytest.param(b"\r\r\r\n", "", id="returns alone"),
    ],
)
def test_clean(raw: bytes, message: str) -> None:
    assert CLEANER.clean(raw) == message


@pytest.mark.parametrize(
    ("message", "pattern"),
    [
        pytest.param("took 12.5 ms, 3 of 4", "took * ms, * of *", id="numbers"),
        pytest.param("worker " + "ab" * 28, "worker *", id="an id"),
        pytest.param("object at 0x7f22fa585ad8", "object at *", id="an address in memory"),
        pytest.param("read /tmp/ray/session_1/x.log now", "read * now", id="a path"),
        pytest.param("connect to 10.0.0.1:6379", "connect to *", id="an address"),
        pytest.param("name 'a b' and \"c\" and `d`", "name * and * and *", id="quoted text"),
        pytest.param("didn't and won't", "didn't and won't", id="an apostrophe quotes nothing"),
        pytest.param("Started <object at 1>.", "Started *.", id="a repr"),
        pytest.param("Job raysubmit_AckSuWXreJ3rWGLQ failed", "Job * failed", id="id of a submitted job"),
        pytest.param("first line 1\nsecond line", "first line *", id="the first line counts"),
        pytest.param("deadline", "deadline", id="a word of hexadecimal letters stays"),
    ],
)
def test_mask(message: str, pattern: str) -> None:
    assert _text.Masker(CATALOGUE, 256).mask(message)[0] == pattern


def test_messages_of_one_pattern_have_one_id() -> None:
    masker = _text.Masker(CATALOGUE, 256)
    first, second, other = masker.mask("took 1 s"), masker.mask("took 99.5 s"), masker.mask("took no time")
    assert first == second
    assert first[1] != other[1]
    assert len(first[1]) == 16


def test_a_pattern_is_cut() -> None:
    assert len(_text.Masker(CATALOGUE, 50).mask("word " * 100)[0]) == 50


def test_the_rest_of_an_id_at_the_cut_changes_no_pattern() -> None:
    masker = _text.Masker(CATALOGUE, 256)
    head = "word " * 58
    patterns = {masker.mask(f"{head}id {start}{'0' * 55}")[0] for start in "0123456789abcdef"}
    assert len(patterns) == 1
    assert masker.mask("x" * 400)[0] == "x" * 256


def test_a_masker_forgets_when_it_knows_too_much() -> None:
    masker = _text.Masker(CATALOGUE, 256)
    assert {masker.mask(f"number {number}")[0] for number in range(20_000)} == {"number *"}


def test_the_masker_of_a_catalogue_is_shared() -> None:
    other = _catalogue.load()
    assert _text.masker(CATALOGUE, 256) is _text.masker(CATALOGUE, 256)
    assert _text.masker(CATALOGUE, 256) is not _text.masker(other, 256)


@pytest.mark.parametrize(
    ("fields", "kept"),
    [
        pytest.param({"a": 1, "b": "x", "c": True, "d": 1.5}, {"a": 1, "b": "x", "c": True, "d": 1.5}, id="values"),
        pytest.param({"a": None, "b": "", "c": {}, "d": []}, {}, id="nothing in them"),
        pytest.param({"known": 1, "a": 2}, {"a": 2}, id="what is a field already"),
        pytest.param({"a": "x" * 50}, {"a": "x" * 10}, id="a long value"),
        pytest.param({"k" * 50: 1}, {"k" * 8: 1}, id="a long key"),
        pytest.param({"": 1}, {"_": 1}, id="an empty key"),
        pytest.param({"...": 1}, {"_": 1}, id="a key of dots"),
        pytest.param({"a\0b": 1}, {"a\ufffdb": 1}, id="NUL in a key"),
        pytest.param({"a\ud800": "\udfff"}, {"a\ufffd": "\ufffd"}, id="halves of surrogate pairs"),
        pytest.param({"a": 10**30}, {"a": "1000000000"}, id="a huge number becomes text"),
        pytest.param({"a": float("nan")}, {"a": "NaN"}, id="NaN becomes text"),
        pytest.param({"a": {"b": {"c": {"d": 1}}}}, {"a": {"b": {"c": '{"d": 1}'}}}, id="deep objects become text"),
        pytest.param({"a": [1, None, "x"]}, {"a": [1, "x"]}, id="lists"),
        pytest.param({"a": [{"b": 1}]}, {"a": [{"b": 1}]}, id="objects in lists"),
        pytest.param({"a": list(range(100))}, {"a": "[0, 1, 2, "}, id="a long list becomes text"),
        pytest.param({str(number): number for number in range(9)}, {str(n): n for n in range(6)}, id="many keys"),
        pytest.param({"env_vars": {"TOKEN": "x"}, "a": {"env_vars": "x", "b": 1}}, {"a": {"b": 1}}, id="secrets"),
    ],
)
def test_labels(fields: dict[str, t.Any], kept: dict[str, t.Any]) -> None:
    assert _text.labels(fields, LIMITS, {"known"}) == kept


def test_labels_of_thirty_levels_are_valid_json() -> None:
    deep: dict[str, t.Any] = {"end": 1}
    for _level in range(30):
        deep = {"a": deep, "b": [1]}
    json.dumps(_text.labels(deep, LIMITS), allow_nan=False)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param("text", "text", id="text"),
        pytest.param({"a": "\ud800"}, '{"a": "\ufffd"}', id="an object"),
        pytest.param(None, "null", id="null"),
        pytest.param(object, "\"<class 'object'>\"", id="what JSON does not know"),
    ],
)
def test_as_text(value: t.Any, text: str) -> None:
    assert _text.as_text(value) == text
