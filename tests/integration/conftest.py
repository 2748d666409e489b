# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run modules for real: inside this process, or by Ansible."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
from ansible.module_utils.testing import patch_module_args

COLLECTIONS = Path(__file__).parents[2] / ".cache" / "collections"
MODULES = "ansible_collections.raylogs.efk.plugins.modules."

Result = dict[str, t.Any]


class Run(t.Protocol):
    """Run a module of the collection with these options and give what it returned."""

    def __call__(self, module: str, *, check: bool = False, **options: t.Any) -> Result:
        """Run it."""


class Play(t.Protocol):
    """Run tasks by ansible-playbook and give the results of the last play, by task."""

    def __call__(self, tasks: list[dict[str, t.Any]], *arguments: str) -> dict[str, Result]:
        """Run them."""


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run modules inside this process, each as Ansible starts it: options in, JSON out."""

    def run_here(module: str, *, check: bool = False, **options: t.Any) -> Result:
        program = importlib.import_module(MODULES + module)
        arguments = {**options, "_ansible_check_mode": check, "_ansible_diff": True}
        # Ansible keeps the warnings of a process, which to it is one module.
        monkeypatch.setattr("ansible.module_utils.common.warnings._global_warnings", {})
        with patch_module_args(arguments), pytest.raises(SystemExit) as end:
            program.main()
        result: Result = json.loads(capsys.readouterr().out.splitlines()[-1])
        assert bool(end.value.code) == bool(result.get("failed"))
        return result

    return run_here


def run_playbook(*arguments: str, callback: str = "ansible.posix.json", cwd: Path | None = None) -> str:
    """Run ansible-playbook on this machine and give what it printed."""
    command = [sys.executable, "-m", "ansible", "playbook", "--inventory", "localhost,", "--connection", "local"]
    command += ["--extra-vars", f"ansible_python_interpreter={sys.executable}", *arguments]
    environment = {
        **os.environ,
        "ANSIBLE_CALLBACK_RESULT_FORMAT": "yaml",
        "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_STDOUT_CALLBACK": callback,
    }
    answer = subprocess.run(command, cwd=cwd, env=environment, check=False, capture_output=True, text=True)
    assert answer.stdout, answer.stderr
    return answer.stdout


def results_by_task(printed: str) -> dict[str, Result]:
    """Give the results of the last play, by task."""
    try:
        told = json.loads(printed)
    except ValueError:
        pytest.fail(f"ansible-playbook failed: {printed}")
    return {task["task"]["name"]: task["hosts"]["localhost"] for task in told["plays"][-1]["tasks"]}


@pytest.fixture
def play(tmp_path: Path) -> Play:
    """Run tasks by ansible-playbook on this machine."""

    def run_tasks(tasks: list[dict[str, t.Any]], *arguments: str) -> dict[str, Result]:
        playbook = tmp_path / "play.yml"
        playbook.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]))
        return results_by_task(run_playbook(*arguments, str(playbook)))

    return run_tasks
