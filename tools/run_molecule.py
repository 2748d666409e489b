# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run Molecule scenarios, all unless named, and count their steps; further arguments go to `molecule test`."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import time
import typing as t
from pathlib import Path

import container_engine
import shown_process
import systemd_images
import test_hosts

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache"
GLOB = "molecule/*/molecule.yml"
STEP = re.compile(r"\[\S+ > (\w+)\] Executed: (.*)")
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


class Steps(t.NamedTuple):
    """How the steps of a scenario ended."""

    passed: list[str]
    failed: list[str]


def read_output(scenario: str, output: str, code: int) -> Steps:
    """Say which steps passed: those that were carried out; what Molecule skips or misses has failed.

    After a failure it looks for a step cleanup of its own accord.
    """
    steps = [step for step in STEP.findall(COLOUR.sub("", output)) if step[0] != "cleanup"]
    names = [f"{scenario} {name}" for name, _ in steps]
    answers = [answer.strip() for _, answer in steps]
    passed = [name for name, answer in zip(names, answers) if answer == "Successful"]
    failed = [f"{name}: {answer}" for name, answer in zip(names, answers) if answer != "Successful"]
    if not failed and (code or not passed):
        failed.append(f"{scenario} molecule: ended with {code} after {len(passed)} steps")
    return Steps(passed, failed)


def environment_of(scenario: str, engine: container_engine.Engine) -> dict[str, str]:
    """Build the environment of Molecule: nothing is kept outside of .cache, and a play without hosts is an error."""
    return {
        **os.environ,
        "ANSIBLE_FORCE_COLOR": "false",
        "ANSIBLE_HOME": str(CACHE / "ansible"),
        "ANSIBLE_HOST_PATTERN_MISMATCH": "error",
        "DOCKER_HOST": engine.address,
        "MOLECULE_EPHEMERAL_DIRECTORY": str(CACHE / "molecule" / scenario),
        "MOLECULE_GLOB": GLOB,
        "NO_COLOR": "1",
    }


def run_scenario(scenario: str, engine: container_engine.Engine, arguments: t.Sequence[str]) -> Steps:
    """Run one scenario from the beginning, show what it says, and count."""
    shutil.rmtree(CACHE / "molecule" / scenario, ignore_errors=True)
    command = ["molecule", "--base-config", ".config/molecule/config.yml", "test", "--scenario-name", scenario]
    output, code = shown_process.run_shown([*command, *arguments], ROOT, environment_of(scenario, engine))
    return read_output(scenario, output, code)


def main() -> None:
    """Run every scenario, even after a failure."""
    known = sorted(path.parent.name for path in ROOT.glob(GLOB))
    wanted = [argument for argument in sys.argv[1:] if argument in known] or known
    arguments = [argument for argument in sys.argv[1:] if argument not in known]
    passed, failed, table = [], [], []
    try:
        start = time.monotonic()
        engine = test_hosts.start(list(systemd_images.RELEASES))
        table.append(f"{'engine and images':24} {(time.monotonic() - start) / 60:.1f} min")
        for scenario in wanted:
            start = time.monotonic()
            steps = run_scenario(scenario, engine, arguments)
            passed += steps.passed
            failed += steps.failed
            counts = f"{len(steps.passed)} passed, {len(steps.failed)} failed"
            table.append(f"{scenario:24} {(time.monotonic() - start) / 60:.1f} min, {counts}")
    except container_engine.EngineError as error:
        failed.append("container engine")
        table.append(str(error))
    print(*table, *(f"FAILED: {name}" for name in failed), sep="\n")
    (CACHE / "results").mkdir(parents=True, exist_ok=True)
    (CACHE / "results" / "molecule.json").write_text(json.dumps({"passed": passed, "failed": failed}))
    sys.exit(not passed or bool(failed))


if __name__ == "__main__":
    main()
