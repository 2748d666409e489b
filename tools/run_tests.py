# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run nox sessions one after the other, say what each took and close with the sum of all tests."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import typing as t
from pathlib import Path
from xml.etree import ElementTree as ET

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / ".cache" / "results"


class Count(t.NamedTuple):
    """How many tests ended how."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __str__(self) -> str:
        """Speak like pytest."""
        return f"{self.passed} passed, {self.failed} failed" + (f", {self.skipped} skipped" if self.skipped else "")


def count_junit(document: str) -> Count:
    """Count the tests of a pytest report."""
    suites = list(ET.fromstring(document).iter("testsuite"))
    total, failures, errors, skipped = (
        sum(int(suite.get(name, 0)) for suite in suites) for name in ("tests", "failures", "errors", "skipped")
    )
    return Count(total - failures - errors - skipped, failures + errors, skipped)


def count_checks(document: str) -> Count:
    """Count the checks of a session that runs no pytest."""
    checks = json.loads(document)
    return Count(len(checks["passed"]), len(checks["failed"]))


def count(session: str, succeeded: bool) -> Count:
    """Count the tests of a session; one that fails without a failed test counts as a failed test."""
    found = Count()
    for suffix, reader in ((".xml", count_junit), (".json", count_checks)):
        report = RESULTS / f"{session}{suffix}"
        if report.exists():
            found = reader(report.read_text())
    return found if succeeded or found.failed else found._replace(failed=1)


def add(counts: t.Iterable[Count]) -> Count:
    """Add up."""
    return Count(*map(sum, zip(*counts)))


def main() -> None:
    """Run every session, even after a failure."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    for report in RESULTS.iterdir():
        report.unlink()
    began, table = time.monotonic(), {}
    for session in sys.argv[1:]:
        start = time.monotonic()
        code = subprocess.run(["nox", "--session", session], cwd=ROOT, check=False).returncode
        table[session] = count(session, succeeded=code == 0)
        print(f"{session}: {table[session]} in {(time.monotonic() - start) / 60:.1f} min\n", flush=True)
    total = add(table.values())
    print(*(f"{session:12} {found}" for session, found in table.items()), sep="\n")
    print(f"{total} in {(time.monotonic() - began) / 60:.1f} min")
    sys.exit(total.failed > 0 or total.passed == 0)


if __name__ == "__main__":
    main()
