# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The demo where it cannot work: what a newcomer reads, and what is left afterwards."""

from __future__ import annotations

import os
import re
import shutil
import socket
import stat
import subprocess
import sys
import time
import typing as t
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ORDINARY_USER = ("elasticsearch_user=nobody", "elasticsearch_group=nogroup")


class Played(t.NamedTuple):
    """What a playbook said, on one line, and whether it succeeded."""

    said: str
    good: bool
    seconds: float


class Checkout:
    """A copy of what the demo consists of, with a demo of its own."""

    def __init__(self, folder: Path) -> None:
        """Copy the inventories and the playbooks."""
        self.folder = folder
        for name in ("inventories", "playbooks"):
            shutil.copytree(ROOT / name, folder / name)

    def play(self, playbook: str, **environment: str) -> Played:
        """Play it, with a server that needs no user of its own."""
        command = [sys.executable, "-m", "ansible", "playbook", "--inventory", str(self.folder / "inventories/local")]
        for variable in ORDINARY_USER:
            command += ["--extra-vars", variable]
        settings = {
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".cache/collections"),
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            "LC_ALL": "C.UTF-8",
            **environment,
        }
        began = time.monotonic()
        answer = subprocess.run(
            [*command, str(self.folder / "playbooks" / playbook)],
            cwd=self.folder,
            env={**os.environ, **settings},
            check=False,
            capture_output=True,
            text=True,
        )
        said = " ".join((answer.stdout + answer.stderr).split())
        return Played(said, answer.returncode == 0, time.monotonic() - began)


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """Give a fresh checkout."""
    return Checkout(tmp_path)


def free_port() -> str:
    """Find a port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def test_a_search_without_server_names_make_demo_at_once(checkout: Checkout) -> None:
    port = free_port()
    played = checkout.play("search_logs.yml", DEMO_PORT=port)
    assert not played.good
    assert f"Cannot search the logs: nobody answers at https://127.0.0.1:{port}" in played.said
    assert "Start it: make demo" in played.said
    assert "attempts" not in played.said


@pytest.mark.parametrize("lost", ["ca.crt", "ca.key", "passwords/elastic"])
def test_a_demo_that_lost_a_secret_names_make_clean(lost: str, checkout: Checkout) -> None:
    secrets = checkout.folder / ".demo/secrets/raylogs-demo"
    paths = [secrets / name for name in ("ca.crt", "ca.key", "passwords/elastic")]
    for path in [*paths, checkout.folder / ".demo/config/certs/node.crt"]:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
    whole = checkout.play("search_logs.yml", DEMO_PORT=free_port())
    assert "nobody answers" in whole.said
    (secrets / lost).unlink()
    for playbook in ("search_logs.yml", "demo.yml"):
        played = checkout.play(playbook, DEMO_PORT=free_port(), RAY_DIR=str(checkout.folder))
        assert not played.good
        assert f"The demo lost what it needs to reach its server: {secrets / lost}. Put that back" in played.said
        assert "make clean, then make demo" in played.said
    assert sorted(paths) == sorted([*(path for path in secrets.rglob("*") if path.is_file()), secrets / lost])


def test_nothing_to_import_is_said_before_anything_is_made(checkout: Checkout) -> None:
    played = checkout.play("demo.yml", RAY_DIR="/does/not/exist")
    assert "There is nothing to import: /does/not/exist does not exist. Give the folder" in played.said
    assert "make demo RAY_DIR=/tmp/ray" in played.said
    assert not (checkout.folder / ".demo").exists()


@pytest.mark.parametrize(("port", "shown"), [("80", "80"), ("many", "0")], ids=["of root alone", "no number"])
def test_a_port_that_the_server_may_not_use_is_refused(port: str, shown: str, checkout: Checkout) -> None:
    played = checkout.play("demo.yml", DEMO_PORT=port, RAY_DIR=str(checkout.folder))
    assert not played.good
    assert f"Cannot start Elasticsearch on port {shown}: it never runs as root, and only the ports" in played.said
    assert "choose another port: make demo DEMO_PORT=9201" in played.said
    assert checkout.play("demo_clean.yml").good


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the server as another user, who may be kept out")
def test_a_checkout_that_the_server_cannot_enter_keeps_its_data_outside(checkout: Checkout) -> None:
    checkout.folder.chmod(0o700)
    refused = checkout.play("demo.yml", DEMO_PORT="80", RAY_DIR=str(checkout.folder))
    found = re.search(
        r"Everything that the demo makes is in (/var/tmp/raylogs-demo-\S+); make clean removes", refused.said
    )
    assert found, refused.said
    outside = Path(found[1])
    assert stat.S_IMODE(outside.stat().st_mode) == 0o755
    again = checkout.play("demo.yml", DEMO_PORT="80", RAY_DIR=str(checkout.folder))
    assert f"is in {outside}; make clean" in again.said
    assert checkout.play("demo_clean.yml").good
    assert not outside.exists()
    assert not (checkout.folder / ".demo").exists()
