# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sessions behind the Makefile, run inside .venv: `nox --list`."""

from __future__ import annotations

import json
import os
import shutil
import sys
import typing as t
from pathlib import Path

import nox
import yaml
from nox.command import CommandFailed

ROOT = Path(__file__).parent
CACHE = ROOT / ".cache"
BIN = Path(sys.prefix) / "bin"
ENVIRONMENT = {
    "ANSIBLE_COLLECTIONS_PATH": str(CACHE / "collections"),
    "LC_ALL": "C.UTF-8",
    "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
}

nox.needs_version = ">=2025.2.9"
nox.options.default_venv_backend = "none"
nox.options.sessions = ["lint", "sanity", "unit", "integration", "coverage"]


def run(session: nox.Session, *command: str, env: t.Mapping[str, str] | None = None) -> None:
    """Run a command of .venv."""
    session.run(*command, env={**ENVIRONMENT, **(env or {})}, external=True)


def succeeds(session: nox.Session, command: t.Sequence[str]) -> bool:
    """Run a command and say whether it succeeded."""
    try:
        run(session, *command)
    except CommandFailed:
        return False
    return True


def run_all(session: nox.Session, checks: t.Mapping[str, str]) -> None:
    """Run every check, record which failed, fail in the end."""
    answers = {name: succeeds(session, command.split()) for name, command in checks.items()}
    failed = [name for name, good in answers.items() if not good]
    record(session.name, [name for name, good in answers.items() if good], failed)
    if failed:
        session.error(f"failed: {', '.join(failed)}")


def record(session: str, passed: t.Sequence[str], failed: t.Sequence[str]) -> None:
    """Leave the result where tools/run_tests.py adds it up."""
    folder = CACHE / "results"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{session}.json").write_text(json.dumps({"passed": passed, "failed": failed}))


def empty_folder(name: str) -> Path:
    """Make an empty folder under .cache."""
    folder = CACHE / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


@nox.session
def lint(session: nox.Session) -> None:
    """Run the static checks."""
    build = empty_folder("build").relative_to(ROOT)
    version = yaml.safe_load((ROOT / "galaxy.yml").read_text())["version"]
    typed = [name for name in ("tests", "benchmarks") if any((ROOT / name).rglob("*.py"))]
    run_all(
        session,
        {
            "ruff format": "ruff format --check .",
            "ruff check": "ruff check .",
            "mypy plugins": "mypy -p ansible_collections.raylogs.efk.plugins",
            "mypy tools": "env MYPYPATH=tools mypy noxfile.py tools",
            "mypy tests": f"env MYPYPATH=tools mypy {' '.join(typed)}",
            "yamllint": "yamllint --strict .",
            "codespell": "codespell",
            "reuse": "reuse lint --quiet",
            "action groups": "python tools/check_action_groups.py",
            "argument specs": "python tools/check_argument_specs.py",
            "generated files": "python tools/generate.py --check",
            "ansible-lint": "ansible-lint --nocolor --format=pep8",
            # Without the hundred collections of the package ansible: 6 s instead of 2 min.
            "antsibull-docs": "env ANSIBLE_COLLECTIONS_SCAN_SYS_PATH=false antsibull-docs lint-collection-docs"
            " --plugin-docs --skip-rstcheck --validate-collection-refs=all --check-extra-docs-refs .",
            "antsibull-changelog": "antsibull-changelog lint",
            "collection build": f"ansible-galaxy collection build --output-path {build}",
            "collection install": f"env ANSIBLE_COLLECTIONS_PATH={build} ansible-galaxy collection install --offline"
            f" --no-deps --collections-path {build} {build}/raylogs-efk-{version}.tar.gz",
        },
    )


@nox.session
def sanity(session: nox.Session) -> None:
    """Run ansible-test sanity on the oldest and the newest ansible-core; further arguments go to ansible-test."""
    run(session, "python", "tools/run_sanity.py", *session.posargs)


@nox.session
def unit(session: nox.Session) -> None:
    """Run the unit tests; further arguments go to pytest."""
    measured_pytest(session, "tests/unit")


@nox.session
def integration(session: nox.Session) -> None:
    """Run the tests against a real Elasticsearch; further arguments go to pytest."""
    measured_pytest(session, "tests/integration", "--numprocesses=2", "--dist=loadfile")


@nox.session
def roles(session: nox.Session) -> None:
    """Run the roles on this machine, through whole lives of real servers; further arguments go to pytest."""
    measured_pytest(session, "tests/roles", "--numprocesses=2", "--override-ini=timeout=1200")


@nox.session
def cluster(session: nox.Session) -> None:
    """Run three real nodes as one cluster; further arguments go to pytest."""
    run(session, "pytest", "--override-ini=timeout=1800", "tests/cluster", *session.posargs)


def measured_pytest(session: nox.Session, folder: str, *options: str) -> None:
    """Run pytest under coverage."""
    junit = CACHE / "results" / f"{session.name}.xml"
    run(session, "coverage", "run", "-m", "pytest", f"--junit-xml={junit}", *options, *(session.posargs or [folder]))


@nox.session
def coverage(session: nox.Session) -> None:
    """Report the branch coverage of module_utils by all tests run since the last report."""
    run(session, "coverage", "combine", "--quiet")
    run_all(session, {"coverage": "coverage report"})


@nox.session
def molecule(session: nox.Session) -> None:
    """Run the Molecule scenarios, or those that are named; further arguments go to `molecule test`."""
    run(session, "python", "tools/run_molecule.py", *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """Measure speed, memory and size; further arguments go to the benchmarks."""
    run(session, "python", "-m", "benchmarks", *session.posargs)


@nox.session
def docs(session: nox.Session) -> None:
    """Build the documentation site into .cache/docs/build/html."""
    site = empty_folder("docs")
    run(
        session,
        *["antsibull-docs", "sphinx-init", "--use-current", "--squash-hierarchy", "--dest-dir", str(site), "--lenient"],
        "raylogs.efk",
    )
    with session.chdir(site):
        run(session, "./build.sh")
