# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A job without tasks of interest: prints, the root logger, and the end that the first argument names."""

from __future__ import annotations

import logging
import os
import sys
import time

import ray

log = logging.getLogger("shop.payroll")


@ray.remote
def pay(person: int) -> int:
    """Divide by the number of hours."""
    sys.stdout.write(f"paying person {person} of tenant {os.environ.get('TENANT', 'none')}\n")
    return 1000 // (person - 2)


def main(ending: str) -> None:
    """End well, badly, or never."""
    logging.basicConfig(level=logging.INFO)
    ray.init(address="auto", namespace="shop")
    log.info("Payroll begins, ending %s", ending)
    sys.stderr.write("payroll to stderr\n")
    sys.stdout.write(f"paid {ray.get([pay.remote(person) for person in (3, 4, 5)])}\n")
    if ending == "badly":
        ray.get(pay.remote(2))
    while ending == "never":
        log.info("Payroll waits for the bank")
        time.sleep(1)


if __name__ == "__main__":
    main(sys.argv[1])
