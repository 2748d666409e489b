# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read what an earlier Elasticsearch left on this host, and whose a signing key is."""

from __future__ import annotations

import base64
import binascii
import hashlib
import pathlib
import re
import typing as t

OWN_ENTRIES = {"lost+found", "tmp"}
"""What may stand in a data folder before a server used it."""
NODE_STATES = ("_state/node-*.st", "nodes/0/_state/node-*.st")
VERSION_KEY = b"node_version\x24"
"""The key in SMILE, and the token of an integer."""
ELASTICSEARCH_IDS = range(1_000_000, 100_000_000)
"""OpenSearch sets a higher bit in its numbers."""
UNIT_FOLDERS = tuple(map(pathlib.Path, ("/etc/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system")))
ARMOUR = re.compile(rb"-----BEGIN PGP PUBLIC KEY BLOCK-----(.*?)-----END PGP PUBLIC KEY BLOCK-----", re.DOTALL)
SHORTEST_HEADER = 2
PUBLIC_KEY_PACKET = 6
KEY_VERSION = 4
NEW_FORMAT, PACKET = 0x40, 0x80
TWO_OCTETS, FIVE_OCTETS, PARTIAL = 192, 255, 224


class SigningKeyError(Exception):
    """A key file that cannot be read; the text says why."""


class Data(t.NamedTuple):
    """What a data folder holds."""

    state: str
    """absent, empty, elasticsearch or foreign."""
    version: str
    """The version that wrote it last."""
    entries: list[str]


class Unit(t.NamedTuple):
    """A unit file of systemd."""

    path: str
    managed: bool


def smile_integer(octets: bytes) -> int:
    """Decode an integer of SMILE: seven bits an octet, six in the last, whose high bit is set; the sign comes last."""
    value = 0
    for octet in octets:
        if octet & 0x80:
            value = value << 6 | octet & 0x3F
            return value >> 1 ^ -(value & 1)
        value = value << 7 | octet
    return 0


def node_version(state: bytes) -> str:
    """Return the version in a state file of a node, or nothing where it is not Elasticsearch's."""
    _before, key, rest = state.partition(VERSION_KEY)
    number = smile_integer(rest[:5]) if key else 0
    return f"{number // 1000000}.{number // 10000 % 100}.{number // 100 % 100}" if number in ELASTICSEARCH_IDS else ""


def read_data(folder: pathlib.Path) -> Data:
    """Say what a data folder holds.

    :raises OSError: when it cannot be read.
    """
    if not folder.exists():
        return Data("absent", "", [])
    entries = sorted(entry.name for entry in folder.iterdir() if entry.name not in OWN_ENTRIES)
    if not entries:
        return Data("empty", "", [])
    states = [path for pattern in NODE_STATES for path in sorted(folder.glob(pattern))]
    versions = [version for path in states if (version := node_version(path.read_bytes()))]
    if versions:
        return Data("elasticsearch", versions[-1], entries)
    # A server that was ended in its first second leaves its lock and nothing else.
    mere_start = not states and set(entries) <= {"node.lock", "nodes", "_state"}
    return Data("empty" if mere_start else "foreign", "", entries)


def find_units(name: str, mark: str, folders: t.Iterable[pathlib.Path] = UNIT_FOLDERS) -> list[Unit]:
    """Return the files of a unit, and whether each carries our mark."""
    found: dict[pathlib.Path, Unit] = {}
    for path in (folder / name for folder in folders):
        if path.is_file():
            text = path.read_text(encoding="utf-8", errors="replace")
            found.setdefault(path.resolve(), Unit(str(path), mark in text))
    return list(found.values())


def key_packets(text: bytes) -> bytes:
    """Return the packets of a key file, armoured or not.

    :raises SigningKeyError: when the armour is damaged.
    """
    if not (blocks := ARMOUR.findall(text)):
        return text
    try:
        # The headers end with an empty line, the checksum begins with an equals sign.
        bodies = [block.replace(b"\r", b"").split(b"\n\n", 1)[-1].split(b"\n=", 1)[0] for block in blocks]
        return b"".join(base64.b64decode(body) for body in bodies)
    except binascii.Error as error:
        raise SigningKeyError(f"its armour is damaged ({error})") from error


def packet_header(octets: bytes) -> tuple[int, int, int]:
    """Return the tag, the length of the header and the length of the body of the first packet.

    :raises SigningKeyError: when it is no packet.
    """
    if len(octets) < SHORTEST_HEADER or not octets[0] & PACKET:
        raise SigningKeyError("it holds no OpenPGP key")
    if not octets[0] & NEW_FORMAT:
        size = 1 << (octets[0] & 3)
        return octets[0] >> 2 & 0xF, 1 + size, int.from_bytes(octets[1 : 1 + size], "big")
    tag, first = octets[0] & 0x3F, octets[1]
    if first < TWO_OCTETS:
        return tag, 2, first
    if first < PARTIAL:
        return tag, 3, (first - TWO_OCTETS << 8) + octets[2] + TWO_OCTETS
    if first == FIVE_OCTETS:
        return tag, 6, int.from_bytes(octets[2:6], "big")
    raise SigningKeyError("it holds a packet of unknown length")


def key_fingerprints(text: bytes) -> list[str]:
    """Return the fingerprints of the primary keys of a key file.

    :raises SigningKeyError: when it holds none.
    """
    octets, fingerprints = key_packets(text), []
    while octets:
        tag, start, size = packet_header(octets)
        body, octets = octets[start : start + size], octets[start + size :]
        if tag == PUBLIC_KEY_PACKET:
            if len(body) < size or body[0] != KEY_VERSION:
                raise SigningKeyError("its key is cut off or of an unknown version")
            # OpenPGP defines the fingerprint of these keys by SHA-1.
            digest = hashlib.new("sha1", b"\x99" + len(body).to_bytes(2, "big") + body, usedforsecurity=False)
            fingerprints.append(digest.hexdigest().upper())
    if not fingerprints:
        raise SigningKeyError("it holds no OpenPGP key")
    return fingerprints
