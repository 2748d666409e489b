# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fail in every way: exceptions, retries, workers that die, an actor that dies and starts again."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
import typing as t

import ray

if t.TYPE_CHECKING:
    from collections.abc import Callable

FAILING_TRIES = 2


@ray.remote(max_retries=0)
def parse_invoice(depth: int) -> int:
    """Raise from deep inside."""

    def descend(level: int) -> int:
        if level == 0:
            message = f"invoice has no total, depth {depth}"
            raise ValueError(message)
        return descend(level - 1)

    return descend(depth)


@ray.remote(max_retries=0)
def sum_invoices() -> int:
    """Fail because another task failed."""
    return ray.get(parse_invoice.remote(2))


@ray.remote(num_cpus=0.1)
class Tries:
    """Count the tries of a task that is retried."""

    def __init__(self) -> None:
        """Begin at zero."""
        self.count = 0

    def next(self) -> int:
        """Return the number of this try."""
        self.count += 1
        return self.count


@ray.remote(max_retries=3, retry_exceptions=True)
def upload_invoice(tries: ray.actor.ActorHandle) -> int:
    """Fail twice, then succeed."""
    number = ray.get(tries.next.remote())
    if number <= FAILING_TRIES:
        message = f"upload refused, try {number}"
        raise ConnectionError(message)
    return number


@ray.remote(max_retries=0)
def print_label() -> None:
    """Leave without a word."""
    sys.stdout.write("about to leave\n")
    sys.stdout.flush()
    os._exit(1)


@ray.remote(max_retries=1)
def scan_label() -> None:
    """Read address zero, as a broken extension does."""
    sys.stdout.write("about to scan\n")
    sys.stdout.flush()
    ctypes.string_at(0)


@ray.remote(max_retries=0)
def weigh_parcel() -> None:
    """Be killed from outside."""
    os.kill(os.getpid(), signal.SIGKILL)


@ray.remote(max_retries=0)
def close_till() -> None:
    """Leave by sys.exit."""
    sys.exit(3)


@ray.remote(max_restarts=1, num_cpus=0.5)
class SessionCache:
    """Die, start again, die for good."""

    def __init__(self) -> None:
        """Say which process this is."""
        sys.stdout.write(f"session cache in process {os.getpid()}\n")

    def process(self) -> int:
        """Return the process id."""
        return os.getpid()

    def lose_power(self) -> None:
        """Die."""
        os._exit(7)

    def lookup(self, key: str) -> str:
        """Fail without dying."""
        raise KeyError(key)


@ray.remote(num_cpus=0.5)
class Printer:
    """Fail while starting."""

    def __init__(self) -> None:
        """Find no device."""
        message = "no printer at /dev/usb/lp0"
        raise OSError(message)

    def print_page(self) -> None:
        """Never run."""


def attempt(what: str, call: Callable[[], object]) -> None:
    """Say what came of one call."""
    try:
        sys.stdout.write(f"{what}: {ray.get(call(), timeout=60)}\n")
    except ray.exceptions.RayError as failure:
        sys.stdout.write(f"{what}: {type(failure).__name__}: {failure}\n")


def main() -> None:
    """Let everything go wrong once, then end with an error."""
    ray.init(address="auto", namespace="shop")
    tries = Tries.remote()
    attempt("parse", lambda: parse_invoice.remote(3))
    attempt("sum", sum_invoices.remote)
    attempt("upload", lambda: upload_invoice.remote(tries))
    attempt("print", print_label.options(resources={"edge": 0.1}).remote)
    attempt("scan", scan_label.remote)
    attempt("weigh", weigh_parcel.remote)
    attempt("till", close_till.remote)
    cache = SessionCache.options(name="session-cache", resources={"edge": 0.1}).remote()
    attempt("process", cache.process.remote)
    attempt("lookup", lambda: cache.lookup.remote("amélie"))
    attempt("power cut", cache.lose_power.remote)
    time.sleep(3)
    attempt("process", cache.process.remote)
    attempt("power cut", cache.lose_power.remote)
    time.sleep(1)
    attempt("process", cache.process.remote)
    printer = Printer.remote()
    attempt("page", printer.print_page.remote)
    ray.kill(tries)
    time.sleep(1)
    attempt("next", tries.next.remote)
    message = "too many accidents today"
    raise RuntimeError(message)


if __name__ == "__main__":
    main()
