# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Audit accounts: Ray's own TEXT logging at level DEBUG, failing tasks, a timeout."""

from __future__ import annotations

import logging
import sys
import time

import ray

log = logging.getLogger("shop.audit")


@ray.remote(max_retries=0)
def check_account(account: int) -> int:
    """Check one account; some are wrong."""
    log.debug("Reading account %d", account)
    time.sleep(0.05)
    if (account + 1) % 6 == 0:
        message = f"account {account} does not balance:\n  debit 100.00\n  credit 99.99"
        raise ArithmeticError(message)
    log.info("Account %d balances", account)
    return account


@ray.remote
def find_stamp() -> bool:
    """Look for the stamp for a while."""
    time.sleep(1.2)
    return True


@ray.remote(num_cpus=0.5)
class Auditor:
    """Sign what was checked; an actor of this job."""

    def sign(self, account: int) -> str:
        """Sign one account."""
        log.info("Account %d signed", account)
        return f"signed {account}"

    def stamp(self) -> bool:
        """Wait less long for the stamp than it takes."""
        log.warning("The stamp is being looked for")
        try:
            return ray.get(find_stamp.remote(), timeout=0.5)
        except ray.exceptions.GetTimeoutError:
            log.exception("No stamp: timeout after 0.5 s")
        return False


def main() -> None:
    """Audit all accounts."""
    ray.init(
        address="auto",
        namespace="shop",
        logging_config=ray.LoggingConfig(encoding="TEXT", log_level="DEBUG", additional_log_standard_attrs=["name"]),
    )
    auditor = Auditor.options(name="auditor").remote()
    for account in range(24):
        try:
            ray.get(check_account.options(name="check-account").remote(account))
        except ray.exceptions.RayTaskError:
            log.exception("Audit of account %d failed", account)
            continue
        ray.get(auditor.sign.remote(account))
    for _ in range(3):
        ray.get(auditor.stamp.remote())
    sys.stdout.write("audit finished\n")
    time.sleep(1)


if __name__ == "__main__":
    main()
