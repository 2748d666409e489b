# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an earlier Elasticsearch left, and whose a key is: on files of real servers and of gpg."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.raylogs.efk.plugins.module_utils import _installation
from ansible_collections.raylogs.efk.plugins.module_utils._installation import Data, SigningKeyError, Unit

FIXTURES = Path(__file__).parents[2] / "fixtures"
KEY = FIXTURES / "host_signing_key_info/mirror.asc"
FINGERPRINT = "CD1B982F91D42D997B6FBAD91207A7A652A37B11"


def node_state(version: str) -> bytes:
    """Read what a real server of a version wrote."""
    return (FIXTURES / f"host_installation_info/node-{version}.st").read_bytes()


@pytest.mark.parametrize(
    ("octets", "number"),
    [
        pytest.param(bytes.fromhex("0f4f44a6"), 8190099, id="four octets"),
        pytest.param(b"\x80", 0, id="zero"),
        pytest.param(b"\x81", -1, id="negative"),
        pytest.param(b"\x0f\x4f", 0, id="cut off"),
    ],
)
def test_smile_integer(octets: bytes, number: int) -> None:
    assert _installation.smile_integer(octets) == number


@pytest.mark.parametrize("version", ["7.17.9", "8.19.0", "9.2.0"])
def test_node_version(version: str) -> None:
    assert _installation.node_version(node_state(version)) == version


@pytest.mark.parametrize(
    "state",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"something else", id="another file"),
        # The number of OpenSearch 2.19.4: 2190499 with the bit 0x08000000.
        pytest.param(b"node_version\x24" + bytes.fromhex("0204166586"), id="another program"),
    ],
)
def test_a_state_of_others_has_no_version(state: bytes) -> None:
    assert _installation.node_version(state) == ""


@pytest.mark.parametrize(
    ("files", "data"),
    [
        pytest.param({}, Data("empty", "", []), id="an empty folder"),
        pytest.param({"tmp/x": b"", "lost+found/x": b""}, Data("empty", "", []), id="what does not count"),
        pytest.param(
            {"node.lock": b""}, Data("empty", "", ["node.lock"]), id="a server that ended in its first second"
        ),
        pytest.param({"notes.txt": b""}, Data("foreign", "", ["notes.txt"]), id="files of others"),
        pytest.param(
            {"_state/node-1.st": b"?", "node.lock": b""},
            Data("foreign", "", ["_state", "node.lock"]),
            id="an odd state",
        ),
        pytest.param(
            {"_state/node-3.st": node_state("8.19.0"), "indices/x": b""},
            Data("elasticsearch", "8.19.0", ["_state", "indices"]),
            id="version 8",
        ),
        pytest.param(
            {"nodes/0/_state/node-0.st": node_state("7.17.9")},
            Data("elasticsearch", "7.17.9", ["nodes"]),
            id="version 7",
        ),
    ],
)
def test_read_data(tmp_path: Path, files: dict[str, bytes], data: Data) -> None:
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    assert _installation.read_data(tmp_path) == data


def test_data_that_are_not_there(tmp_path: Path) -> None:
    assert _installation.read_data(tmp_path / "data").state == "absent"


def test_find_units(tmp_path: Path) -> None:
    own, packaged, linked = (tmp_path / name for name in ("etc", "usr", "lib"))
    own.mkdir()
    packaged.mkdir()
    linked.symlink_to(packaged)
    (own / "es.service").write_text("[Unit]\nX-Made-By=us\n")
    (packaged / "es.service").write_text("[Unit]\n")
    assert _installation.find_units("es.service", "X-Made-By=us", [own, packaged, linked, tmp_path / "none"]) == [
        Unit(str(own / "es.service"), managed=True),
        Unit(str(packaged / "es.service"), managed=False),
    ]


def new_format(packet: bytes, length: bytes) -> bytes:
    """Give the first packet of gpg, whose header takes two octets, a header of the new format."""
    return bytes([0xC0 | 6]) + length + packet[2 : 2 + packet[1]]


BINARY = _installation.key_packets(KEY.read_bytes())
SIZE = BINARY[1]


@pytest.mark.parametrize(
    ("text", "fingerprints"),
    [
        pytest.param(KEY.read_bytes(), [FINGERPRINT], id="armoured"),
        pytest.param(KEY.read_bytes().replace(b"\n", b"\r\n"), [FINGERPRINT], id="with line ends of Windows"),
        pytest.param(KEY.read_bytes() * 2, [FINGERPRINT] * 2, id="a second key is not hidden"),
        pytest.param(BINARY, [FINGERPRINT], id="binary"),
        pytest.param(new_format(BINARY, bytes([SIZE])), [FINGERPRINT], id="new format"),
        pytest.param(new_format(BINARY, b"\xff" + SIZE.to_bytes(4, "big")), [FINGERPRINT], id="new format, long"),
    ],
)
def test_key_fingerprints(text: bytes, fingerprints: list[str]) -> None:
    assert _installation.key_fingerprints(text) == fingerprints


def test_a_header_of_two_octets() -> None:
    assert _installation.packet_header(b"\xcd\xc5\xfb") == (13, 3, 1723)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param(b"", "holds no OpenPGP key", id="nothing"),
        pytest.param(b"<html>404</html>", "holds no OpenPGP key", id="a page"),
        pytest.param(KEY.read_bytes().replace(b"\nmDME", b"\nmD"), "armour is damaged", id="damaged"),
        pytest.param(BINARY[:20], "cut off or of an unknown version", id="cut off"),
        pytest.param(b"\xc6\xe1\x04", "unknown length", id="in parts"),
        pytest.param(BINARY[2 + SIZE :], "holds no OpenPGP key", id="no key among the packets"),
    ],
)
def test_a_key_that_is_none(text: bytes, words: str) -> None:
    with pytest.raises(SigningKeyError, match=words):
        _installation.key_fingerprints(text)
