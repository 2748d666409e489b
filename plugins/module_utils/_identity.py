# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Identity of a file: the first part of the ids of its events, the same wherever the bytes lie.

The identity of a piece is a hash of the session, the node's id (where the file's name is not unique in the session),
the file's canonical name and its first line. Two pieces of one rotated file can begin with the same line (a worker that
prints one line for ever). Then the identity is followed by what tells them apart: the inode and birth of the stored
piece, the second in which the piece before it ended, or the second in which it ended itself. Where that leaves a doubt,
a piece is taken for a new one: its lines may be stored twice, but none is lost.
"""

from __future__ import annotations

import base64
import collections
import hashlib
import typing as t

NS_PER_SECOND = 1_000_000_000
_DIGEST_BYTES = 15
BEGUN = "~b"
ENDED = "~e"


class PieceIdentity(t.NamedTuple):
    """What is known of a piece that decides on its key. inode: inode and birth time, where the kernel tells them."""

    base: str
    repeatable: bool
    number: int
    mtime_ns: int
    inode: str = ""


class Member(t.NamedTuple):
    """A key that is stored already, with the inode under which its events were read."""

    key: str
    inode: str = ""


def base_key(session: str, node_id: str, name: str, head: bytes) -> str:
    """Return the identity (20 characters) of a file whose first line, cut to the catalogue's head_bytes, is `head`."""
    digest = hashlib.sha256(f"{session}\n{node_id}\n{name}\n".encode("utf-8", "surrogateescape") + head).digest()
    return base64.urlsafe_b64encode(digest[:_DIGEST_BYTES]).decode("ascii")


def needs_stored(chain: t.Sequence[PieceIdentity]) -> set[str]:
    """Return the bases of a file's pieces for which the keys that are stored must be known."""
    if len(chain) == 1 and chain[0].number == 0:
        return set()
    count = collections.Counter(piece.base for piece in chain)
    return {piece.base for piece in chain if piece.repeatable or count[piece.base] > 1}


def resolve(
    chain: t.Sequence[PieceIdentity], stored: t.Mapping[str, t.Sequence[Member]] | None = None, source: str = ""
) -> tuple[str, ...]:
    """Return the key of each piece of a file, oldest first.

    stored: the keys of each base that the target holds. source: names the copy that is read (an archive), for pieces
    that ended within one second and so cannot be told apart by their times.
    """
    doubtful = needs_stored(chain)
    ends = collections.Counter(_second(piece) for piece in chain)
    keys: list[str] = []
    for number, piece in enumerate(chain):
        if piece.base not in doubtful:
            keys.append(piece.base)
            continue
        boundary = chain[number - 1] if number else piece
        begun = f"{piece.base}{BEGUN if number else ENDED}{_second(boundary)}"
        members = [member for member in (stored or {}).get(piece.base, ()) if member.key not in keys]
        known = next((member.key for member in members if piece.inode and member.inode == piece.inode), "")
        crowded = _second(boundary) in _crowded_seconds(piece.base, members)
        if not known and ends[_second(boundary)] == 1 and not crowded:
            known = _timed_key(begun, piece, members, keys, oldest=not number)
        elif not known and not piece.inode:
            known = _unused(f"{begun}.{source or boundary.mtime_ns % NS_PER_SECOND}", keys)
        keys.append(known or _crowded_key(begun, piece, members, keys))
    return tuple(keys)


def _timed_key(begun: str, piece: PieceIdentity, members: list[Member], keys: list[str], *, oldest: bool) -> str:
    """Choose the key of a piece whose limits in time are its own."""
    stored = {member.key for member in members}
    others = {member.key for member in members if _is_another(piece, member)}
    before = _predecessor(piece, members) if oldest else ""
    known = begun if begun in stored else before
    if known and known not in others:
        return known
    # Once rotated, a piece's limit in time says more than being the first that is seen: a copy shows it too.
    alone = oldest and not piece.number
    return piece.base if alone and not stored else _unused(begun, [*keys, *others])


def _is_another(piece: PieceIdentity, member: Member) -> bool:
    """Tell whether a stored key is another piece's for certain: both are originals, and their inodes differ.

    A copy is younger than the last line of its original.
    """
    births = [_birth(inode) for inode in (piece.inode, member.inode)]
    return piece.inode != member.inode and all(0 < birth <= piece.mtime_ns for birth in births)


def _birth(inode: str) -> int:
    birth = inode.rpartition(".")[2]
    return int(birth) if birth.isdigit() else 0


def _predecessor(piece: PieceIdentity, members: list[Member]) -> str:
    """Find the stored key of a piece that ended when another stored one began; none where several ended then."""
    begun = f"{piece.base}{BEGUN}"
    stored = {member.key for member in members}
    starts = sorted(int(key[len(begun) :]) for key in stored if key.startswith(begun) and key[len(begun) :].isdigit())
    if _second(piece) not in starts:
        return ""
    earlier = [start for start in starts if start < _second(piece)]
    key = f"{begun}{earlier[-1]}" if earlier else piece.base
    since = earlier[-1] if earlier else 0
    crowded = any(since <= second <= _second(piece) for second in _crowded_seconds(piece.base, members))
    return key if key in stored and not crowded else ""


def _crowded_seconds(base: str, members: list[Member]) -> set[int]:
    """Return the seconds in which more than one of the stored pieces ended: their keys hold more than the second."""
    tails = [member.key[len(base) + len(BEGUN) :].partition(".") for member in members]
    return {int(second) for second, point, _more in tails if point and second.isdigit()}


def _crowded_key(begun: str, piece: PieceIdentity, members: list[Member], keys: list[str]) -> str:
    """Choose a new key for a piece in whose second others ended too: its inode is not among the stored ones."""
    taken = [*keys, *(member.key for member in members)]
    first = not any(key.startswith(piece.base) for key in taken)
    return piece.base if first else _unused(f"{begun}.0", taken)


def _unused(key: str, keys: list[str]) -> str:
    number, free = 1, key
    while free in keys:
        free = f"{key}.{number}"
        number += 1
    return free


def _second(piece: PieceIdentity) -> int:
    return piece.mtime_ns // NS_PER_SECOND
