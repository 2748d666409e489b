# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lines that no application writes, and lines of Ray's that were damaged: what parsers read differently if they can."""

from __future__ import annotations

import typing as t
import zlib

from tests import corpus

Something = t.TypeVar("Something")
# Bytes that mean something to one of the two parsers.
STRANGE = [
    *(bytes([byte]) for byte in range(256)),
    *(
        b"\xe2\x82",
        b"\xed\xa0\x80",
        b"\xf0\x9f\x98",
        b"\xf4\x90\x80\x80",
        "\u2028\u00a0ä\ufeff😀".encode(),
        b"\r\n",
        b"\r\r",
    ),
    *(
        b"\\ud800",
        b"\\udc00",
        b"\\ud83d\\ude00",
        b"\\u00",
        b"\\u0000",
        b"\\q",
        b"\\",
        b'"',
        b'\\"',
        b"/*x*/",
        b"// x\n",
    ),
    *(
        b"NaN",
        b"-Infinity",
        b"Infinity",
        b"1e400",
        b"1e20",
        b"1e-7",
        b"-0",
        b"-0.0",
        b"01",
        b"1.",
        b".5",
        b"1E+5",
        b"5.0",
    ),
    *(
        b"123456789012345678",
        b"1234567890123456789",
        b"-9223372036854775808",
        b"9" * 30,
        b"1764000000.5",
        b"1764000000",
    ),
    *(b"1764000000123", b"1764000000123456", b"1764000000123456789", b"true", b"null", b"[]", b"{}", b'""', b"[[1]]"),
    *(
        b'{"a":1,"a":2}',
        b"Traceback (most recent call last):\n",
        b"ValueError: x\n",
        b"  File x\n",
        b"\n",
        b"\n\n",
        b"  ",
    ),
    *(b"\x1b[36m", b"\x1b]0;t\x07", b" 50%|x", b":job_id:02000000\n", b":actor_name:Ab(1)\n", b":task_name:f\n", b"\t"),
    *(
        b"*** SIGSEGV received at time=1764000000 on",
        b"Fatal Python error: x",
        b"  + Exception Group Traceback",
        b"  | ",
    ),
    *(
        b" actor_id=ab",
        b" timestamp_ns=1764000000123456789",
        b" task_name=f",
        b"2026-02-30",
        b"2026-11-23 08:33:54,0123",
    ),
    *(b"2026-11-23T08:33:54.123456789+05:30", b"Z", b"UTC", b"'quoted'", b"<x>", b"0x1f", b"/a/b", b"_", b"\xc3\xa9"),
]
SCALARS = [
    *(
        "null",
        "true",
        "false",
        "0",
        "-0",
        "1",
        "10",
        "20",
        "30.0",
        "40",
        "-1.5",
        "1e400",
        "-1e400",
        "NaN",
        "Infinity",
        "-Infinity",
    ),
    *(
        "1e16",
        "1e15",
        "123456789.125",
        "1e-4",
        "1e-5",
        "0.1",
        "1E5",
        "1e+22",
        "1e21",
        "5e-324",
        "1.7976931348623157e308",
    ),
    *(
        "1764000000",
        "1764000000123",
        "1764000000123456789",
        "1764000000.1234567",
        "1764000000123.5",
        "123456789012345678",
    ),
    *(
        "1234567890123456789",
        "9223372036854775807",
        "9223372036854775808",
        "1" * 40,
        "-" + "1" * 19,
        "-",
        "01",
        "1.",
        "+1",
    ),
    *(
        "0.30000000000000004",
        "100000000000000000000000.0",
        "yes",
        "nul",
        "'a'",
        "12345678901234567890.0",
        "4.35",
        "2.675",
    ),
    *(
        '"1764000000123456789"',
        '"1764000000"',
        '"-5"',
        '"INFO"',
        '" warn "',
        '"\u017fucc"',
        '"2026-11-23 08:33:54,012"',
    ),
    *(
        '"2026-11-23T08:33:54.5Z"',
        '"2026-11-23T08:33:54+0530 "',
        '"2026-11-23 08:33:54.1234567891234"',
        '"c+w="',
        '"QUJD"',
    ),
    *('"2026-1-3 8:33:54"', '"2026-01- 3  8:33:54.5"', '"3026-01-03 08:33:54"', '"1926-01-03 08:33:54"', '"task::f"'),
]
TEXTS = [
    *(
        "a",
        "B c",
        "ä",
        "😀",
        "\\n",
        "\\r",
        "\\t",
        "\\u0000",
        "\\u001f",
        "\\u2028",
        "\\ud83d\\ude00",
        "\\ud83d",
        "\\ude00",
        "\\/",
    ),
    *(
        "\\\\",
        '\\"',
        "\\x",
        "\\u12",
        "\\U0041",
        "\x01",
        "\t",
        "\x7f",
        "//",
        "/*",
        "\u2028",
        "\u00a0",
        "\ufeff",
        "\\ud83d\\u0041",
    ),
    *(
        "\\u001b[31m",
        "\\r 50%|",
        "Traceback (most recent call last):\\n  File x\\nValueError: y",
        "   ",
        "12",
        "'q'",
        "x" * 1100,
    ),
    *(
        "  + Exception Group",
        "\\n  | ValueError: x",
        "\\n  | \\n",
        "ExceptionGroup: z",
        "RuntimeError",
        "task::",
        "None:",
    ),
]
JSON_KEYS = [
    *(entry["key"] for entry in corpus.CATALOGUE.data["json"]["keys"]),
    *(key for name, keys in corpus.CATALOGUE.data["json"].items() if name != "keys" for key in keys),
    *("component", "a", "a.b", "task_func_name", "\\ud800", " . ", "env_vars", "levelname", "message", "asctime"),
]
EXPORT_KEYS = [
    *("actor_id", "job_id", "node_id", "address", "class_name", "name", "state", "pid", "death_cause", "task_id", "x"),
    *(
        "attempt_number",
        "state_updates",
        "state_updates.state_ts_ns",
        "task_info",
        "profile_events",
        "a.b",
        "address.worker_id",
    ),
]
DIGITS = b"1" * 4300
ODD_RECORDS = [
    *(b'{"exc_info": "   ", "message": ""}', b'{"exc_info": "\\n", "message": "", "level": "INFO"}'),
    # Python reads no longer whole number, and neither reads what is nested more deeply.
    *(
        b'{"a": %s}' % DIGITS,
        b'{"a": %s1}' % DIGITS,
        b'{"a": -%s}' % DIGITS,
        b'{"a": "%s1"}' % DIGITS,
        b'{"a": %s1.5}' % DIGITS,
    ),
    *(b'{"a":' * depth + b"1" + b"}" * depth for depth in (399, 400, 401)),
    *(b'{"a":' + b"[" * depth + b"]" * depth + b"}" for depth in (398, 399, 400, 100_000)),
    *(
        b'{"a": "http://x/y"}',
        b'{"a": "x" /* c */}',
        b'{"a": "http://\xffx"} // x',
        b'{"a": 1} # x',
        b"{'a': 1}",
        b"{a: 1}",
    ),
    *(
        b'\xef\xbb\xbf{"a": 1}',
        b' {"a": 1} ',
        b'{"a": 1}\x00',
        b'{"a": 1}\x0b',
        b'{\x0c"a": 1}',
        b'{"a": 1}{"b": 2}',
        b"{}",
        b"{ }",
    ),
    *(
        b'{"a": "\\ud83d\\ude0"}',
        b'{"a": "\\ud800", "b": "x\\\\ud800"}',
        b'{"\\ud800": 1, "\\udc00": 2}',
        b'{"a": 1, "a": {}}',
    ),
    *(
        b'{"message": "\\u0085x\\u0085", "level": "\\u0085info\\u3000"}',
        b'{"message": null, "msg": false}',
        b'{"message": "", "msg": 1}',
    ),
    *(
        b'{"message": "x", "time": "2026-11-23T08:33:54Z\\u00a0"}',
        '{"message": "x", "time": "٢026-11-23T08:33:54Z"}'.encode(),
    ),
    *(
        '{"message": "x", "time": "2026-11-23T08:33:54+\u06605:30"}'.encode(),
        ":actor_name:Größe_ि(1)\nx".encode(),
        ":actor_name:Größe²(1)\nx".encode(),
    ),
    *(
        b'{"message": "a\\u0000b", "x\\u0000": 1}',
        b'{"timestamp_ns": true, "message": "x"}',
        b'{"message": "x", "level": true}',
    ),
]


class Chance:
    """Numbers that look random and are the same in every run."""

    def __init__(self, name: str) -> None:
        """Take the name of the sequence."""
        self._name = name
        self._asked = 0

    def below(self, limit: int) -> int:
        """Return a number from 0 to below the limit."""
        self._asked += 1
        # The checksum of similar texts differs in few bits: multiplied, these reach all others.
        return ((zlib.crc32(f"{self._name} {self._asked}".encode()) * 0x9E3779B97F4A7C15) >> 24) % limit

    def of(self, items: t.Sequence[Something]) -> Something:
        """Return one of the items."""
        return items[self.below(len(items))]


def mutated(texts: t.Sequence[tuple[str, bytes]], count: int, seed: int) -> t.Iterator[tuple[str, bytes]]:
    """Yield names of files with some lines of theirs, changed at random places: about `count` lines in all."""
    chance = Chance(f"mutated {seed}")
    made = 0
    while made < count:
        name, text = chance.of(texts)
        lines = text.splitlines(keepends=True)
        begin = chance.below(len(lines))
        chosen = lines[begin : begin + 1 + chance.below(12)]
        if chance.below(10) < 3:
            name, other = chance.of(texts)
            chosen += other.splitlines(keepends=True)[:3]
        made += len(chosen)
        content = bytearray(b"".join(chosen))
        for _change in range(chance.below(7)):
            place = chance.below(len(content) + 1)
            content[place : place + chance.of((0, 0, 1, 1, 2, 8, 40))] = chance.of(STRANGE)
        yield name, bytes(content)


def random_json(chance: Chance, depth: int) -> str:
    """Write a value of JSON, or nearly, as no application would."""
    space = chance.of(("", "", "", " ", "\t", "\r", "\x0b", "\u00a0", "/**/", "\x00")) if chance.below(10) < 1 else ""
    if depth and chance.below(10) < 3:
        items = [random_json(chance, depth - 1) for _number in range(chance.below(5))]
        return f"{space}[{', '.join(items)}]"
    if depth and chance.below(10) < 3:
        return space + random_object(chance, depth - 1, ["a", "b", ".c ", "", "env_vars", "k" * 300, "\\ud800"])
    if chance.below(10) < 5:
        return space + chance.of(SCALARS)
    texts = [chance.of(TEXTS) for _number in range(chance.below(5))]
    return f'{space}"{"".join(texts)}"{space}'


def random_object(chance: Chance, depth: int, keys: t.Sequence[str]) -> str:
    """Write an object with some of the keys."""
    pairs = [f'"{chance.of(keys)}": {random_json(chance, depth)}' for _number in range(chance.below(8))]
    return "{" + ", ".join(pairs) + chance.of(("}",) * 40 + (",}", "}}", "} x", "", "}/"))
