# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Allocate memory until Ray kills the tasks."""

from __future__ import annotations

import logging
import sys
import time

import ray

MEBIBYTE = 1024 * 1024
CHUNK_MIB = 256


@ray.remote(max_retries=0)
def load_archive(limit_mib: int) -> int:
    """Keep allocating, never more than the limit."""
    chunks: list[bytearray] = []
    while len(chunks) * CHUNK_MIB < limit_mib:
        chunks.append(bytearray(b"\x01" * (CHUNK_MIB * MEBIBYTE)))
        sys.stdout.write(f"loaded {len(chunks) * CHUNK_MIB} MiB\n")
        sys.stdout.flush()
        time.sleep(0.15)
    time.sleep(20)
    return len(chunks)


def run(name: str, limit_mib: int) -> None:
    """Run the task under a name and wait for its end."""
    try:
        ray.get(load_archive.options(name=name, resources={"edge": 1}).remote(limit_mib))
    except ray.exceptions.RayError:
        logging.getLogger("shop.archive").exception("Task %s did not end", name)


def main(limit_mib: int) -> None:
    """Wait for the kill."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    ray.init(address="auto", namespace="shop")
    for name in ("load-archive", "join-archives"):
        run(name, limit_mib)
    time.sleep(2)


if __name__ == "__main__":
    main(int(sys.argv[1]))
