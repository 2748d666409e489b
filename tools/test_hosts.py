#!/usr/bin/env python3
# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Start what test hosts need, a container engine and images with systemd, and print where it listens; or stop it."""

from __future__ import annotations

import argparse
import fcntl
import os
import sys

import container_engine
import systemd_images


def say(line: str) -> None:
    """Tell how far it is."""
    print(line, file=sys.stderr, flush=True)


def start(hosts: list[str]) -> container_engine.Engine:
    """Return an engine that holds the images of these hosts; two runs at a time wait for one another."""
    os.environ["PATH"] += ":/usr/sbin:/sbin"  # Not every root has them.
    container_engine.STATE.mkdir(parents=True, exist_ok=True)
    with (container_engine.STATE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        engine = container_engine.start(say)
        systemd_images.build_missing(engine, hosts, say)
    return engine


def main() -> None:
    """Do what was asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["start", "stop"])
    parser.add_argument("hosts", nargs="*", help=f"of {', '.join(systemd_images.RELEASES)}; all unless named")
    arguments = parser.parse_args()
    if unknown := set(arguments.hosts) - systemd_images.RELEASES.keys():
        parser.error(f"unknown: {', '.join(sorted(unknown))}; known: {', '.join(systemd_images.RELEASES)}")
    try:
        if arguments.what == "stop":
            container_engine.stop(say)
        else:
            engine = start(arguments.hosts or list(systemd_images.RELEASES))
            print(f"DOCKER_HOST={engine.address}")
    except container_engine.EngineError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
