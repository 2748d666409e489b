# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Identity of a file: the same for the same bytes, another one for other bytes."""

from __future__ import annotations

import typing as t
import zlib

import pytest
from ansible_collections.raylogs.efk.plugins.module_utils._identity import (
    NS_PER_SECOND,
    Member,
    PieceIdentity,
    base_key,
    needs_stored,
    resolve,
)

BASE = "A" * 20
OTHER = "B" * 20


def piece(
    second: float, number: int = 0, base: str = BASE, *, inode: str = "", repeatable: bool = True
) -> PieceIdentity:
    """Make a piece that was last changed in a second."""
    return PieceIdentity(base, repeatable, number, int(second * NS_PER_SECOND), inode)


def inode(number: int, second: float) -> str:
    """Make the inode of a piece that was born in a second."""
    return f"{number}.{int(second * NS_PER_SECOND)}"


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(("s2", "n", "f", b"h"), id="another session"),
        pytest.param(("s", "n2", "f", b"h"), id="another node"),
        pytest.param(("s", "n", "f2", b"h"), id="another file"),
        pytest.param(("s", "n", "f", b"h2"), id="another first line"),
        pytest.param(("s\nn", "", "f", b"h"), id="parts joined otherwise"),
    ],
)
def test_base_key(other: tuple[str, str, str, bytes]) -> None:
    key = base_key("s", "n", "f", b"h")
    assert len(key) == 20
    assert key == base_key("s", "n", "f", b"h")
    assert key != base_key(*other)


def test_base_key_of_a_name_that_is_no_utf8() -> None:
    assert base_key("s", "", "f\udcff", b"") != base_key("s", "", "f", b"")


@pytest.mark.parametrize(
    ("chain", "needed"),
    [
        pytest.param([piece(1)], set(), id="one piece that was never rotated"),
        pytest.param([piece(1, 2)], {BASE}, id="one piece that was"),
        pytest.param([piece(1, 1), piece(2, 0, OTHER, repeatable=False)], {BASE}, id="those whose beginning repeats"),
        pytest.param([piece(1, 1, repeatable=False), piece(2, repeatable=False)], {BASE}, id="that began at once"),
    ],
)
def test_needs_stored(chain: list[PieceIdentity], needed: set[str]) -> None:
    assert needs_stored(chain) == needed


@pytest.mark.parametrize(
    ("chain", "stored", "keys"),
    [
        pytest.param([piece(9)], [], [""], id="one piece"),
        pytest.param([piece(9, repeatable=False)], [""], [""], id="a piece that nothing can be mistaken for"),
        pytest.param([piece(5, 1), piece(9)], [], ["~e5", "~b5"], id="two pieces that begin alike"),
        pytest.param([piece(5, 1), piece(9)], [""], ["~e5", "~b5"], id="rotated since: a doubt"),
        pytest.param([piece(5, 1), piece(9)], ["", "~b5"], ["", "~b5"], id="the same again"),
        pytest.param([piece(9, 1), piece(12)], ["", "~b5", "~b9"], ["~b5", "~b9"], id="the oldest one is gone"),
        pytest.param([piece(5, 1), piece(12)], ["", "~b5"], ["", "~b5"], id="the newest one grew"),
        pytest.param([piece(20, 1), piece(30)], ["", "~b5"], ["~e20", "~b20"], id="all are new"),
        pytest.param([piece(20, 1), piece(30)], ["", "~e20", "~b20"], ["~e20", "~b20"], id="all are new, again"),
        pytest.param([piece(5, 1), piece(5.5)], [], ["~e5.a", "~b5.a"], id="two ended in one second"),
        pytest.param([piece(5, 2), piece(5.5, 1), piece(9)], [], ["~e5.a", "~b5.a", "~b5.a.1"], id="three did"),
        pytest.param([piece(5, 1), piece(5.5)], ["~e5.a", "~b5.a"], ["~e5.a", "~b5.a"], id="the same archive again"),
        pytest.param([piece(5, 1), piece(9)], ["~b5.a"], ["~e5.a", "~b5.a"], id="others ended in that second"),
        pytest.param([piece(9, 1), piece(12)], ["", "~b5.x", "~b9"], ["~e9", "~b9"], id="a doubt about the oldest one"),
        pytest.param([piece(9, 1), piece(12)], ["~b9"], ["~e9", "~b9"], id="what ended then is not stored"),
        pytest.param([piece(9, 1), piece(12)], ["~bx", "~b5.y.z"], ["~e9", "~b9"], id="keys of no meaning"),
    ],
)
def test_resolve_without_inodes(chain: list[PieceIdentity], stored: list[str], keys: list[str]) -> None:
    members = {BASE: [Member(BASE + key) for key in stored]}
    assert resolve(chain, members, source="a") == tuple(BASE + key for key in keys)


def test_resolve_without_a_name_of_the_copy() -> None:
    assert resolve([piece(5, 1), piece(5.25)]) == (f"{BASE}~e5.0", f"{BASE}~b5.0")


@pytest.mark.parametrize(
    ("chain", "stored", "keys"),
    [
        pytest.param(
            [piece(9, 1, inode="1.1"), piece(12, inode="2.2")], {"~b5": "1.1"}, ["~b5", "~b9"], id="by its inode"
        ),
        pytest.param([piece(5, 1, inode="1.1"), piece(5.5, inode="2.2")], {}, ["", "~b5.0"], id="in one second"),
        pytest.param(
            [piece(5, 1, inode="1.1"), piece(5.5, inode="2.2")], {"": "1.1", "~b5.0": "2.2"}, ["", "~b5.0"], id="again"
        ),
        pytest.param(
            [piece(5, 1, inode="3.3"), piece(5.5, inode="4.4")],
            {"": "1.1", "~b5.0": "2.2"},
            ["~e5.0", "~b5.0.1"],
            id="other inodes",
        ),
        pytest.param(
            [piece(5, 1, inode=inode(7, 99)), piece(9, inode=inode(8, 99))],
            {"": inode(1, 1), "~b5": inode(2, 5)},
            ["", "~b5"],
            id="a copy of the folder",
        ),
        pytest.param(
            [piece(5, 1, inode=inode(3, 5)), piece(9, inode=inode(4, 5))],
            {"": inode(1, 1), "~b5": inode(2, 5)},
            ["~e5", "~b5.1"],
            id="an original that is another one",
        ),
    ],
)
def test_resolve_with_inodes(chain: list[PieceIdentity], stored: dict[str, str], keys: list[str]) -> None:
    members = {BASE: [Member(BASE + key, number) for key, number in stored.items()]}
    assert resolve(chain, members) == tuple(BASE + key for key in keys)


class Disk:
    """A worker that prints one line for ever, its rotated pieces, and what imports stored of them."""

    def __init__(self, seed: int, *, inodes: t.Callable[[int], bool], pauses: tuple[float, ...]) -> None:
        """Begin with one piece."""
        self._seed = seed
        self._step = 0
        self._inodes = inodes
        self._pauses = pauses
        self._now = 1_700_000_000 * NS_PER_SECOND + self._pick(NS_PER_SECOND)
        self._pieces = [(0, self._now, self._now)]
        self._stored: dict[str, str] = {}
        self._owners: dict[str, int] = {}
        self.twice = 0

    def _pick(self, limit: int) -> int:
        self._step += 1
        return zlib.crc32(f"{self._seed} {self._step}".encode()) % limit

    def run(self) -> None:
        """Write, rotate and import in an order that looks random."""
        for _step in range(30):
            pause = self._pauses[self._pick(len(self._pauses))]
            self._now += int(pause * self._pick(2 * NS_PER_SECOND))
            name, born, _changed = self._pieces[-1]
            action = self._pick(10)
            if action < 7:
                self._pieces[-1] = (name, born, self._now)
            if 4 <= action < 7:
                self._pieces = [*self._pieces, (name + 1, self._now + 1000, self._now + 1000)][-4:]
            if action >= 7:
                self._import()

    def _import(self) -> None:
        known = self._inodes(self._step)
        chain = [
            PieceIdentity(BASE, True, number, changed, f"{name}.{born}" if known else "")
            for number, (name, born, changed) in reversed(list(enumerate(reversed(self._pieces))))
        ]
        stored = {base: [Member(*item) for item in self._stored.items()] for base in needs_stored(chain)}
        keys = resolve(chain, stored, source=f"a{self._step}")
        assert len(set(keys)) == len(keys)
        for key, (name, _born, _changed), identity in zip(keys, self._pieces, chain, strict=True):
            self.twice += key not in self._owners and name in self._owners.values()
            assert self._owners.setdefault(key, name) == name, (self._seed, key)
            self._stored.setdefault(key, identity.inode)


@pytest.mark.parametrize(
    "inodes",
    [
        pytest.param(lambda _step: True, id="from the disk"),
        pytest.param(lambda _step: False, id="from archives"),
        pytest.param(lambda step: step % 2 == 0, id="from both"),
    ],
)
@pytest.mark.parametrize(
    "pauses", [pytest.param((0.05, 0.3, 1.5, 7, 100), id="at leisure"), pytest.param((0.01, 0.1, 0.3), id="in a hurry")]
)
def test_no_piece_is_ever_taken_for_another_one(inodes: t.Callable[[int], bool], pauses: tuple[float, ...]) -> None:
    """The lines of a piece that is taken for a stored one would be lost."""
    for seed in range(500):
        Disk(seed, inodes=inodes, pauses=pauses).run()


def test_from_the_disk_nothing_is_stored_twice() -> None:
    for seed in range(500):
        disk = Disk(seed, inodes=lambda _step: True, pauses=(0.05, 0.3, 1.5, 7, 100))
        disk.run()
        assert disk.twice == 0, seed
