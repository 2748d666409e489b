# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Count sales with Ray Data; one batch fails."""

from __future__ import annotations

import sys
import typing as t

import ray
import ray.data


def add_tax(batch: dict[str, t.Any]) -> dict[str, t.Any]:
    """Add a column."""
    batch["tax"] = batch["id"] * 0.19
    return batch


def refuse(batch: dict[str, t.Any]) -> dict[str, t.Any]:
    """Fail on every batch."""
    message = f"batch of {len(batch['id'])} rows has no currency"
    raise ValueError(message)


def main() -> None:
    """Run one pipeline that works and one that fails."""
    ray.init(address="auto", namespace="shop")
    sales = ray.data.range(400, override_num_blocks=4).map_batches(add_tax, batch_size=100)
    sys.stdout.write(f"{sales.materialize().sum('tax'):.2f} of tax\n")
    try:
        ray.data.range(10, override_num_blocks=1).map_batches(refuse).materialize()
    except ray.exceptions.RayError as failure:
        sys.stdout.write(f"{type(failure).__name__}: {failure}\n")


if __name__ == "__main__":
    main()
