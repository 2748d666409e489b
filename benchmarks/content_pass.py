# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One pass over objects that are as declared, against one task for each of them, on the same server, in turns.

`python -m benchmarks.content_pass` starts a server of its own unless ELASTICSEARCH_URL names one. The objects are those
that role ray_log_content declares for some tenants. The time of a task is what ansible-playbook says of it, that of the
module is the time of its whole process.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import typing as t
from pathlib import Path

import requests

from tests.elasticsearch_server import url_for_tests

COLLECTIONS = Path(__file__).resolve().parent.parent / ".cache" / "collections"
MODULE = "ansible_collections.raylogs.efk.plugins.modules.elasticsearch_content"
PREFIX = f"content-pass-{os.getpid()}"
GOAL_SECONDS = 0.8
GOAL_RATIO = 0.1

Body = dict[str, t.Any]


def main() -> None:
    """Measure and print; fail when a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tenants", type=int, default=4, help="for how many tenants the role declares its objects")
    parser.add_argument("--rounds", type=int, default=3, help="how often each side is measured")
    options = parser.parse_args()
    with url_for_tests() as url, tempfile.TemporaryDirectory() as place:
        names = [f"tenant_{number}" for number in range(options.tenants)]
        play(place, url, [apply_role(name) for name in names])
        objects = read_objects(url)
        rounds = [measure(place, url, objects) for _ in range(options.rounds)]
        seconds = statistics.median(time_module(place, url, objects) for _ in range(options.rounds))
    ratio = statistics.median(one / each for one, each in rounds)
    print(f"{len(objects)} objects as declared: module {seconds:.2f} s (goal: at most {GOAL_SECONDS})")
    print(f"one pass / one task for each: {ratio:.3f} (goal: at most {GOAL_RATIO})")
    if seconds > GOAL_SECONDS or ratio > GOAL_RATIO:
        sys.exit("A goal is missed.")


def apply_role(tenant: str) -> Body:
    """Build the task that declares the objects of a tenant."""
    variables = {"raylogs_prefix": PREFIX, "raylogs_tenant": tenant}
    role = {"name": "raylogs.efk.ray_log_content"}
    return {"name": f"Declare {tenant}", "ansible.builtin.include_role": role, "vars": variables}


def read_objects(url: str) -> list[Body]:
    """Read what the role declared, in the form of options."""
    objects: list[Body] = []
    for kind in ("component_template", "index_template"):
        answer = requests.get(f"{url}/_{kind}/{PREFIX}-*", timeout=30).json()
        for found in answer[f"{kind}s"]:
            options = {key: value for key, value in found[kind].items() if not key.endswith("_millis")}
            objects.append({"kind": kind, "name": found["name"], **options})
    return objects


def measure(place: str, url: str, objects: list[Body]) -> tuple[float, float]:
    """Time one pass, and the tasks for each object together."""
    whole: Body = {"name": "pass", "raylogs.efk.elasticsearch_content": {"objects": objects}}
    single = [
        {
            "name": f"object {number}",
            f"raylogs.efk.elasticsearch_{each['kind']}": {key: each[key] for key in each if key != "kind"},
        }
        for number, each in enumerate(objects)
    ]
    seconds = play(place, url, [whole, *single])
    return seconds["pass"], sum(taken for name, taken in seconds.items() if name.startswith("object "))


def play(place: str, url: str, tasks: list[Body]) -> dict[str, float]:
    """Run tasks by ansible-playbook and give the seconds of each.

    :raises RuntimeError: when one fails.
    """
    playbook = Path(place, "play.json")
    playbook.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]))
    command = [sys.executable, "-m", "ansible", "playbook", "--inventory", "localhost,", "--connection", "local"]
    command += ["--extra-vars", f"ansible_python_interpreter={sys.executable}", str(playbook)]
    environment = {
        **os.environ,
        "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
        "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json",
        "ELASTICSEARCH_URL": url,
    }
    answer = subprocess.run(command, env=environment, check=False, capture_output=True, text=True)
    if answer.returncode:
        raise RuntimeError(f"The play failed: {answer.stdout[-2000:]}{answer.stderr}")
    found = [task["task"] for task in json.loads(answer.stdout)["plays"][0]["tasks"]]
    return {task["name"]: seconds_between(task["duration"]) for task in found}


def seconds_between(duration: dict[str, str]) -> float:
    """Compute how long a task took."""
    begin, end = (dt.datetime.fromisoformat(duration[key]) for key in ("start", "end"))
    return (end - begin).total_seconds()


def time_module(place: str, url: str, objects: list[Body]) -> float:
    """Time the module's process.

    :raises RuntimeError: when it changes something.
    """
    arguments = Path(place, "arguments.json")
    arguments.write_text(json.dumps({"ANSIBLE_MODULE_ARGS": {"url": [url], "objects": objects}}))
    environment = {**os.environ, "PYTHONPATH": str(COLLECTIONS)}
    start = time.perf_counter()
    answer = subprocess.run(
        [sys.executable, "-m", MODULE, str(arguments)], env=environment, check=False, capture_output=True, text=True
    )
    seconds = time.perf_counter() - start
    if json.loads(answer.stdout).get("changed", True):
        raise RuntimeError(f"The pass did not find everything as declared: {answer.stdout}")
    return seconds


if __name__ == "__main__":
    main()
