# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run ansible-test sanity on the oldest and the newest pinned ansible-core that this machine has a Python for."""

from __future__ import annotations

import ast
import configparser
import json
import os
import re
import shutil
import subprocess
import sys
import typing as t
from importlib.metadata import version
from pathlib import Path

import shown_process

ROOT = Path(__file__).parent.parent
CACHE = ROOT / ".cache"
HOME = CACHE / "ansible-test"
INTERPRETERS = CACHE / "interpreters"
CONTROL_NODE_PYTHONS = {
    "2.19": ("3.11", "3.12", "3.13"),
    "2.20": ("3.12", "3.13", "3.14"),
    "2.21": ("3.12", "3.13", "3.14"),
}
SHIPPED = ("README.md", "changelogs", "galaxy.yml", "meta", "playbooks", "plugins", "roles", "tests/config.yml")
MANAGED_NODE_PYTHONS = ("3.9", "3.10", "3.11", "3.12", "3.13", "3.14")


class Report(t.NamedTuple):
    """What one run of ansible-test said."""

    passed: list[str]
    failed: list[str]
    not_run: list[str]


def pinned_cores(requirements: str) -> list[str]:
    """Find the versions of ansible-core that the requirements pin, oldest first."""
    found = re.findall(r"^ansible-core==([\d.]+)", requirements, re.MULTILINE)
    return sorted(found, key=lambda core: [int(part) for part in core.split(".")])


def read_output(core: str, output: str) -> Report:
    """Say which sanity tests passed, which failed and which lacked a program."""
    started = re.findall(r'^Running sanity test "([\w-]+)"(?: on Python (\S+))?(?=\n(.*))', output, re.MULTILINE)
    listed = re.search(r"sanity test\(s\) listed below \(out of \d+\) failed.*\n((?:[a-z][\w .-]*\n?)+)", output)
    failed = listed[1].splitlines() if listed else []
    names = {f"{name} --python {python}" if python else name: answer for name, python, answer in started}
    not_run = [name for name, answer in names.items() if answer.startswith("WARNING: Required program")]
    passed = [name for name in names if name not in failed and name not in not_run]
    return Report(*([f"{core} {name}" for name in listing] for listing in (passed, failed, not_run)))


def find_interpreter(wanted: str) -> Path | None:
    """Find a Python that really runs: the shims of pyenv may stand in PATH and answer with an error."""
    folders = [*os.environ["PATH"].split(os.pathsep), *map(str, Path.home().glob(f".pyenv/versions/{wanted}.*/bin"))]
    question = "import ensurepip, ssl, sys; print('%d.%d' % sys.version_info[:2], sys._base_executable, sep='|')"
    for folder in folders:
        candidate = Path(folder, f"python{wanted}")
        if candidate.is_file():
            answer = subprocess.run([candidate, "-c", question], capture_output=True, text=True, check=False).stdout
            if answer.startswith(f"{wanted}|"):
                return Path(answer.partition("|")[2].strip()).resolve()
    return None


def link_interpreters() -> dict[str, Path]:
    """Collect the working interpreters in one folder, which replaces the shims in PATH."""
    shutil.rmtree(INTERPRETERS, ignore_errors=True)
    INTERPRETERS.mkdir(parents=True)
    found = {name: path for name in MANAGED_NODE_PYTHONS if (path := find_interpreter(name))}
    for name, path in found.items():
        (INTERPRETERS / f"python{name}").symlink_to(path)
    return found


def install_core(core: str, interpreter: Path) -> Path:
    """Return the folder of a virtual environment with this ansible-core: .venv where it fits, else one of its own."""
    if version("ansible-core") == core:
        return ROOT / ".venv"
    folder = CACHE / f"ansible-core-{core}"
    ready = folder / ".ready"
    if not ready.exists():
        subprocess.run([interpreter, "-m", "venv", "--clear", folder], check=True)
        pip = [str(folder / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run(
            [*pip, "--constraint", str(ROOT / ".config" / "requirements.txt"), f"ansible-core=={core}"], check=True
        )
        ready.touch()
    return folder


def copy_collection() -> Path:
    """Copy what the collection ships: ansible-test needs a real folder and a repository of its own."""
    folder = HOME / "ansible_collections" / "raylogs" / "efk"
    shutil.rmtree(folder, ignore_errors=True)
    listed = subprocess.check_output(
        ["git", "ls-files", "-coz", "--exclude-standard", "--", *SHIPPED], cwd=ROOT, text=True
    )
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)
    subprocess.run(["git", "add", "--all"], cwd=folder, check=True)
    return folder


def prepare_home() -> None:
    """Give ansible-test a HOME of its own with pip's settings and with our way to install pip."""
    scripts = HOME / ".ansible" / "test" / "cache"
    scripts.mkdir(parents=True, exist_ok=True)
    for pip_version in ("24_2", "25_2", "25_3"):
        shutil.copy2(ROOT / "tools" / "bootstrap_pip.py", scripts / f"get_pip_{pip_version}.py")
    settings = configparser.RawConfigParser()
    settings.read_dict({"global": {"quiet": "1"}})
    listed = subprocess.check_output([ROOT / ".venv" / "bin" / "pip", "config", "list"], text=True)
    for line in listed.splitlines():  # Settings from the environment come last, and win.
        key, value = line.split("=", 1)
        settings.set("global", key.rpartition(".")[2], ast.literal_eval(value))
    target = HOME / ".config" / "pip" / "pip.conf"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.touch(mode=0o600)
    with target.open("w") as stream:
        settings.write(stream)


def run_sanity(core: str, environment: Path, collection: Path, arguments: t.Sequence[str]) -> Report:
    """Run ansible-test, show what it says, and count."""
    system = ["/usr/local/bin", "/usr/bin", "/bin"]
    output, code = shown_process.run_shown(
        [environment / "bin" / "ansible-test", "sanity", "--color", "no", *arguments],
        collection,
        {
            "HOME": str(HOME),
            "LC_ALL": "C.UTF-8",
            "PATH": os.pathsep.join([str(environment / "bin"), str(INTERPRETERS), *system]),
        },
    )
    report = read_output(core, output)
    if code and not report.failed:
        report.failed.append(f"{core} ansible-test")
    return report


def main() -> None:
    """Run every version; fail when one fails or none could run."""
    interpreters = link_interpreters()
    prepare_home()
    collection = copy_collection()
    summary, passed, failed = [], [], []
    for core in pinned_cores((ROOT / ".config" / "requirements.txt").read_text()):
        wanted = CONTROL_NODE_PYTHONS[core.rpartition(".")[0]]
        usable = [name for name in wanted if name in interpreters]
        if not usable:
            summary.append(f"ansible-core {core}: NOT RUN, none of Python {', '.join(wanted)} works here")
            continue
        print(f"ansible-test sanity with ansible-core {core}, Python {usable[0]}", flush=True)
        report = run_sanity(core, install_core(core, interpreters[usable[0]]), collection, sys.argv[1:])
        passed += report.passed
        failed += report.failed
        lacking = f", not run for lack of a program: {', '.join(report.not_run)}" if report.not_run else ""
        summary.append(f"ansible-core {core}: {len(report.passed)} passed, {len(report.failed)} failed{lacking}")
    print(*summary, f"Modules were compiled and imported with Python {', '.join(interpreters)}", sep="\n")
    (CACHE / "results").mkdir(parents=True, exist_ok=True)
    (CACHE / "results" / "sanity.json").write_text(json.dumps({"passed": passed, "failed": failed}))
    sys.exit(not passed or bool(failed))


if __name__ == "__main__":
    main()
