# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check that a recorded session has all that the demo shows, and nothing of the machine that recorded it.

python3 check.py ARCHIVE [--absent WORD...] prints for every content how often, where and how it looks.
"""

from __future__ import annotations

import argparse
import pathlib
import re
import sys
import tarfile
import typing as t

MEMBER = re.compile(r"(head|worker-1)/(session_\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d_\d{6}_\d+)/logs/(.+)")
SIZE_LIMIT = 3 * 1024 * 1024
WIDTH = 150


class Content(t.NamedTuple):
    """What must be there: its name, the files (node and path below logs) and the lines, as expressions."""

    name: str
    files: str
    line: str


WORKER_ERR = r"worker-\w{56}-\w{8}-\d+\.err"
WORKER_OUT = r"worker-\w{56}-\w{8}-\d+\.out"
TASKS = r".*/export_events/event_EXPORT_TASK_\d+\.log"
CONTENTS = (
    Content("JSON of an application, head", rf"head/{WORKER_ERR}", r'^\{"asctime".*"timestamp_ns": \d{19}'),
    Content("JSON of an application, worker-1", rf"worker-1/{WORKER_ERR}", r'^\{"asctime".*"timestamp_ns": \d{19}'),
    Content("JSON ERROR with a real timeout", rf".*/{WORKER_ERR}", r'"levelname": "ERROR", "message": "[^"]*timeout'),
    Content("text ERROR with a real timeout", rf".*/{WORKER_ERR}", r"^\d{4}[^ ]* [\d:,]+ ERROR [\w.]+: .*timeout"),
    Content("Ray's TEXT ERROR with a real timeout", rf".*/{WORKER_ERR}", r"^\d{4}[^\t]*\tERROR .*timeout"),
    Content(
        "text ERROR with a real timeout, driver", r".*/job-driver-storefront\.log", r"ERROR shop.client: .*timeout"
    ),
    Content("Serve's JSON ERROR with a timeout", r".*/serve/replica_search.*", r'"ERROR", "message": "[^"]*timeout'),
    Content("user's own keys", rf".*/{WORKER_ERR}", r'"user": .*"tenant": .*"request_ms": [\d.]+'),
    Content("user's key named level", rf".*/{WORKER_ERR}", r'"level": "gold"'),
    Content("user's key named actor_id", r".*/job-driver-orders\.log", r'"actor_id": "front-desk"'),
    Content("user's nested key", rf".*/{WORKER_ERR}", r'"vehicle": \{"kind"'),
    Content("traceback in JSON", rf".*/{WORKER_ERR}", r'"exc_text": "Traceback'),
    Content("traceback in text", rf".*/{WORKER_ERR}", r"^Traceback \(most recent call last\):"),
    Content("chained exceptions in text", rf".*/{WORKER_ERR}", r"^The above exception was the direct cause"),
    Content("level DEBUG", rf".*/{WORKER_ERR}", r"\tDEBUG audit\.py"),
    Content("failed task seen by its worker", rf".*/{WORKER_ERR}", r"\tDEBUG .*Task failed with unretryable exception"),
    Content("Unicode", rf".*/{WORKER_OUT}", r"日本語"),
    Content("ANSI colours in a print", rf".*/{WORKER_OUT}", r"\x1b\[32mall"),
    Content("tqdm with carriage returns", rf".*/{WORKER_ERR}", r"resize 0.*\r.*30/30"),
    Content("bytes that are not UTF-8", rf".*/{WORKER_ERR}", r"raw bytes to stderr: \udcff\udcfe"),
    Content("a warning of Python", rf".*/{WORKER_ERR}", r"RuntimeWarning: ledger"),
    Content("magic line of a job", rf".*/{WORKER_OUT}", r"^:job_id:\w{8}$"),
    Content("magic line of an actor", rf".*/{WORKER_OUT}", r"^:actor_name:Inventory$"),
    Content("magic line of an actor's repr", rf".*/{WORKER_OUT}", r"^:actor_name:Archive\(reports=\d+\)"),
    Content("magic line of a named task", rf".*/{WORKER_OUT}", r"^:task_name:resize-images$"),
    Content("worker without a job in its name", r".*/worker-\w{56}-ffffffff-\d+\.out", r"^:job_id:\w{8}$"),
    Content("named actor in JSON", rf".*/{WORKER_ERR}", r'"actor_name": "inventory"'),
    Content("async actor", rf".*/{WORKER_ERR}", r'"actor_name": "payment-gateway"'),
    Content("threaded actor", rf".*/{WORKER_ERR}", r"Parcel \d+ leaves the depot"),
    Content("task failed by an exception", TASKS, r'"error_type":"TASK_EXECUTION_EXCEPTION"'),
    Content("task failed by its worker's death", TASKS, r'"error_type":"WORKER_DIED"'),
    Content("task failed by its actor's death", TASKS, r'"error_type":"ACTOR_DIED"'),
    Content("task failed by lack of memory", TASKS, r'"error_type":"OUT_OF_MEMORY"'),
    Content("task cancelled", TASKS, r'"error_type":"TASK_CANCELLED"'),
    Content("task tried again", TASKS, r'"attempt_number":2'),
    Content("duration of a slow task", TASKS, r'"event_name":"task::build_report"'),
    Content("duration of a task with a name", TASKS, r'"event_name":"task::resize-images"'),
    Content("offsets of a task's output", TASKS, r'"stdout_end"'),
    Content("event of an actor", r"head/export_events/event_EXPORT_ACTOR\.log", r'"state":"RESTARTING"'),
    Content("event of a node", r"head/export_events/event_EXPORT_NODE\.log", r'"state":"DEAD"'),
    Content("event of a driver's job", r"head/export_events/event_EXPORT_DRIVER_JOB\.log", r"EXPORT_DRIVER_JOB"),
    Content("event of a submitted job", r"head/export_events/event_EXPORT_SUBMISSION_JOB\.log", r"payroll-south"),
    Content("worker death as an event", r".*/events/event_RAYLET\.log", r"RAY_WORKER_FAILURE"),
    Content("OOM kill as an event", r"worker-1/events/event_RAYLET\.log", r'"label":"Out of Memory"'),
    Content("OOM kill in the raylet's log", r"worker-1/raylet\.out", r"Killing \d+ worker\(s\), kill details"),
    Content("SIGSEGV", rf".*/{WORKER_ERR}", r"^\*\*\* SIGSEGV received at time="),
    Content("worker that left by os._exit", rf".*/{WORKER_OUT}", r"^about to leave$"),
    Content("actor that started again", rf".*/{WORKER_OUT}", r"^session cache in process"),
    Content("actor that failed to start", rf".*/{WORKER_ERR}", r"no printer at"),
    Content("actor's creation in its core log", r".*/python-core-worker-.*", r"Creating actor.* actor_id=\w{32}"),
    Content("job that succeeded", r"head/job-driver-reports\.log", r"Reports of 2026 done"),
    Content("job that failed, on worker-1", r"worker-1/job-driver-payroll-south\.log", r"^.*ZeroDivisionError"),
    Content("job that was stopped", r"head/jobs/supervisor-payroll-east\.log", r"."),
    Content("events of jobs", r"head/events/event_JOBS\.log", r"with a status FAILED"),
    Content("driver's copy of a worker's line", r".*/job-driver-reports\.log", r"^\x1b\[36m\(build_report pid=\d+\)"),
    Content("runtime environment", r".*/runtime_env_setup-\w{8}\.log", r"working_dir"),
    Content("Serve controller", r"head/serve/controller_\d+\.log", r"Deploying new version"),
    Content("Serve proxy, success", r".*/serve/proxy_.*", r"GET /shop 200 [\d.]+ms"),
    Content("Serve proxy, failure", r".*/serve/proxy_.*", r"GET /shop 500 [\d.]+ms"),
    Content("Serve, no route, as the client saw it", r"head/job-driver-storefront\.log", r"GET /nowhere\?q=tea: 404"),
    Content("Serve proxy, timeout", r".*/serve/proxy_.*", r"GET /shop 408 [\d.]+ms"),
    Content("Serve replica, text, failure", r".*/serve/replica_shop_.*", r"^ERROR .* -- "),
    Content("Serve replica, JSON access line", r".*/serve/replica_search_.*", r'"message": "GET /search 200 [\d.]+ms"'),
    Content("Ray Data", r".*/ray-data/ray-data\.log", r"add_tax"),
    Content("Ray Train, failure", r".*/train/ray-train-sys-controller-.*", r"gradient is not a number"),
    Content("Ray Train, metrics of the application", r".*/train/ray-train-app-worker-.*", r"world_rank"),
    Content("autoscaler's status", r"head/monitor\.log", r"^======== Autoscaler status: "),
    Content("use of CPUs", r"head/monitor\.log", r"^ [1-9][\d.]*/8\.0 CPU"),
    Content("pending demand", r"head/monitor\.log", r"'GPU': 1\.0}: \d+\+ pending"),
    Content("state dump", r".*/raylet\.out", r"^\[state-dump\]"),
    Content("statistics of events", r".*/gcs_server\.out", r"Event stats"),
)


def read_archive(path: pathlib.Path) -> tuple[dict[str, list[str]], list[str]]:
    """Return the lines of every file below logs, by node and path, and what is wrong with the layout."""
    files: dict[str, list[str]] = {}
    wrong: list[str] = []
    sessions = set()
    if path.stat().st_size > SIZE_LIMIT:
        wrong.append(f"{path} has more than {SIZE_LIMIT} bytes")
    with tarfile.open(path) as archive:
        for member in archive:
            match = MEMBER.fullmatch(member.name)
            stream = archive.extractfile(member) if member.isreg() else None
            if match is None or stream is None or member.uid or member.gid:
                wrong.append(f"{member.name} is no regular file of user 0 below <node>/<session>/logs")
                continue
            sessions.add(match[1] + "/" + match[2])
            text = stream.read().decode("utf-8", "surrogateescape")
            files[f"{match[1]}/{match[3]}"] = text.split("\n")
    nodes, names = {name.split("/")[0] for name in sessions}, {name.split("/")[1] for name in sessions}
    if nodes != {"head", "worker-1"} or len(names) != 1:
        wrong.append(f"not one session on two nodes: {sorted(sessions)}")
    return files, wrong


def find(content: Content, files: dict[str, list[str]]) -> list[tuple[str, str]]:
    """Return file and line of every place that has the content."""
    name = re.compile(content.files)
    line = re.compile(content.line)
    return [
        (path, text) for path, lines in files.items() if name.fullmatch(path) for text in lines if line.search(text)
    ]


def report(files: dict[str, list[str]], absent: t.Sequence[str]) -> list[str]:
    """Print one paragraph per content; return what is missing and what ought to be absent."""
    wrong = []
    for content in CONTENTS:
        places = find(content, files)
        if not places:
            wrong.append(f"missing: {content.name}: {content.line} in {content.files}")
            continue
        path, text = places[0]
        shown = text[:WIDTH].encode("unicode_escape").decode()
        print(f"{content.name}: {len(places)}\n  {path}\n  {shown}")
    for word in absent:
        places = find(Content(word, ".*", rf"(?<![\w-]){re.escape(word)}(?![\w-])"), files)
        wrong.extend(f"names this machine ({word}): {path}: {text[:WIDTH]}" for path, text in places[:3])
    return wrong


def main() -> None:
    """Check one archive."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("archive", type=pathlib.Path)
    parser.add_argument("--absent", nargs="*", default=[], help="words that no file may hold")
    options = parser.parse_args()
    files, wrong = read_archive(options.archive)
    wrong += report(files, options.absent)
    lines = sum(len(content) - 1 for content in files.values())
    print(f"{len(files)} files, {lines} lines, {options.archive.stat().st_size} bytes packed")
    if wrong:
        sys.exit("\n".join(wrong))


if __name__ == "__main__":
    main()
