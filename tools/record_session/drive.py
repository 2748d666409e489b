# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Submit the workloads, stage by stage, to the cluster that record.sh started."""

from __future__ import annotations

import sys
import time
import typing as t

from ray.job_submission import JobSubmissionClient

FINISHED = {"SUCCEEDED", "FAILED", "STOPPED"}
STAGE_TIMEOUT_S = 180


class Job(t.NamedTuple):
    """One job: its submission id, what it runs, how it must end, and options of the submission."""

    name: str
    command: str
    ending: str = "SUCCEEDED"
    options: t.Mapping[str, t.Any] = {}


EDGE = {"entrypoint_resources": {"edge": 0.1}}
NORTH = {"runtime_env": {"working_dir": "/opt/app", "env_vars": {"TENANT": "north"}}, "metadata": {"tenant": "north"}}
TRAIN = {"runtime_env": {"env_vars": {"RAY_TRAIN_V2_ENABLED": "1", "STORAGE_PATH": "/opt/app/forecast"}}}
STAGES = (
    (Job("storefront", "storefront.py"), Job("orders", "orders.py")),
    (Job("reports", "reports.py"), Job("audit", "audit.py", options=EDGE)),
    (Job("sales", "sales.py"), Job("forecast", "forecast.py", options=TRAIN)),
    (Job("accidents", "accidents.py", "FAILED"), Job("payroll-north", "payroll.py well", options=NORTH)),
    (
        Job("demand", "demand.py"),
        Job("payroll-south", "payroll.py badly", "FAILED", EDGE),
        Job("payroll-east", "payroll.py never", "STOPPED"),
    ),
    (Job("archive", "hog.py {hog_limit_mib}"),),
)


def say(line: str) -> None:
    """Print a line of progress."""
    sys.stdout.write(f"{time.strftime('%H:%M:%S')} {line}\n")
    sys.stdout.flush()


def run_stage(client: JobSubmissionClient, stage: tuple[Job, ...], hog_limit_mib: str) -> None:
    """Submit the jobs of a stage and wait for their ends."""
    for job in stage:
        entrypoint = "python /opt/app/" + job.command.format(hog_limit_mib=hog_limit_mib)
        client.submit_job(entrypoint=entrypoint, submission_id=job.name, **job.options)
    deadline = time.monotonic() + STAGE_TIMEOUT_S
    waiting = list(stage)
    while waiting:
        time.sleep(1)
        if len(waiting) == 1 and waiting[0].ending == "STOPPED":
            client.stop_job(waiting[0].name)
        if time.monotonic() > deadline:
            sys.exit(f"not finished after {STAGE_TIMEOUT_S} s: {[job.name for job in waiting]}")
        for job in list(waiting):
            status = client.get_job_status(job.name).value
            if status in FINISHED:
                say(f"{job.name}: {status}")
                waiting.remove(job)
                if status != job.ending:
                    say(client.get_job_logs(job.name))
                    sys.exit(f"job {job.name} ended {status}, not {job.ending}")


def main(address: str, hog_limit_mib: str) -> None:
    """Run all stages."""
    client = JobSubmissionClient(address)
    for stage in STAGES:
        say("submit " + ", ".join(job.name for job in stage))
        run_stage(client, stage, hog_limit_mib)
    time.sleep(8)


if __name__ == "__main__":
    main(*sys.argv[1:])
