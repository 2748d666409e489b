# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write reports: text logging by logging.basicConfig, slow tasks, prints, progress bars, real timeouts."""

from __future__ import annotations

import logging
import os
import socket
import sys
import time
import warnings

import ray
from tqdm import tqdm

log = logging.getLogger("shop.reports")
PARTNERS = ("ledger", "customs", "tax-office")


def set_up_logging() -> None:
    """Log as most scripts do; Ray calls this in every worker of the job."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")


@ray.remote
def build_report(month: int) -> str:
    """Build one report; the slowest task of all."""
    log.info("Report %02d begins", month)
    sys.stdout.write(f"rows read: {month * 1000}\n")
    time.sleep(2.5 + month % 4)
    log.info("Report %02d done\n\trows: %d\n\tsum: %.2f €", month, month * 1000, month * 1234.5)
    return f"report-{month:02d}.pdf"


@ray.remote
def resize_images(batch: int) -> int:
    """Show a progress bar."""
    for _ in tqdm(range(30), desc=f"resize {batch}"):
        time.sleep(0.03)
    sys.stdout.write(f"batch {batch}: été, Größe, 日本語, 🚀 \u2028 next\n")
    sys.stdout.write("\x1b[32mall images resized\x1b[0m\n")
    return batch


@ray.remote
def fetch_rates(partner: str) -> bytes | None:
    """Read from a partner that never answers."""
    answer = None
    failure = ""
    with socket.create_server(("127.0.0.1", 0)) as silent, socket.create_connection(silent.getsockname()) as line:
        line.settimeout(0.2)
        try:
            answer = line.recv(1)
        except TimeoutError as late:
            failure = str(late)
    if answer is None:
        log.error("Reading rates from %s failed: timeout after 0.2 s (%s)", partner, failure)
    return answer


@ray.remote
def import_ledger(year: int) -> int:
    """Log an error with its causes, as a traceback over many lines."""
    try:
        try:
            return {"2026": 1}[str(year)]
        except KeyError as missing:
            message = f"ledger {year} is not closed"
            raise ValueError(message) from missing
    except ValueError:
        log.exception("Import of ledger %d failed", year)
    warnings.warn(f"ledger {year} is imported empty", RuntimeWarning, stacklevel=1)
    os.write(2, b"raw bytes to stderr: \xff\xfe\n")
    return 0


@ray.remote(num_cpus=0.5)
class Archive:
    """Keep reports; an actor with text logging and a name."""

    def __init__(self) -> None:
        """Start empty."""
        self.reports: list[str] = []
        log.info("Archive opened")

    def store(self, report: str) -> int:
        """Keep one report."""
        self.reports.append(report)
        log.info("Stored %s, %d in the archive", report, len(self.reports))
        sys.stdout.write(f"archive holds {len(self.reports)}\n")
        return len(self.reports)

    def search(self, seconds: float) -> str:
        """Search slowly."""
        log.warning("Slow search, %.1f s", seconds)
        time.sleep(seconds)
        return self.reports[0]

    def __repr__(self) -> str:
        """Say how full the archive is: Ray writes this text into the log."""
        return f"Archive(reports={len(getattr(self, 'reports', []))})"


def search_archive(archive: ray.actor.ActorHandle, seconds: float) -> None:
    """Wait less long than the search takes."""
    try:
        ray.get(archive.search.remote(seconds), timeout=0.3)
    except ray.exceptions.GetTimeoutError:
        log.exception("Archive did not answer: timeout after 0.3 s")


def main() -> None:
    """Make a year's reports."""
    set_up_logging()
    ray.init(address="auto", namespace="shop", runtime_env={"worker_process_setup_hook": set_up_logging})
    log.info("Reports of 2026 begin")
    archive = Archive.options(name="archive", scheduling_strategy="SPREAD").remote()
    reports = [build_report.options(scheduling_strategy="SPREAD").remote(month) for month in range(1, 11)]
    images = [resize_images.options(name="resize-images").remote(batch) for batch in range(3)]
    rates = [fetch_rates.remote(partner) for partner in PARTNERS * 4]
    ledgers = [import_ledger.remote(year) for year in (2024, 2025, 2026)]
    ray.get([*images, *rates, *ledgers])
    ray.get([archive.store.remote(report) for report in ray.get(reports)])
    for seconds in (0.6, 0.7, 0.8):
        search_archive(archive, seconds)
    time.sleep(2)
    log.info("Reports of 2026 done")


if __name__ == "__main__":
    main()
