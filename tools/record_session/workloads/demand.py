# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask for more than the cluster has, so that the autoscaler reports pending demand."""

from __future__ import annotations

import time

import ray


@ray.remote(num_gpus=1)
def paint_poster() -> None:
    """Never run: no node has a GPU."""


@ray.remote(num_cpus=2)
def pack_crate(crate: int) -> int:
    """Hold two CPUs for a moment."""
    time.sleep(1.5)
    return crate


def main() -> None:
    """Wait twenty seconds for a GPU, and queue more crates than there are CPUs."""
    ray.init(address="auto", namespace="shop")
    poster = paint_poster.remote()
    crates = [pack_crate.remote(crate) for crate in range(16)]
    ray.wait([poster], timeout=20)
    ray.get(crates)
    ray.cancel(poster)
    time.sleep(1)


if __name__ == "__main__":
    main()
