# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook import_session, as a user calls it: the bundled session into a real server."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest
import requests

from tests.integration.conftest import Result, results_by_task, run_playbook

ROOT = Path(__file__).resolve().parents[2]
SESSION = ROOT / "demo" / "session.tar.xz"
CORPUS = ROOT / "tests" / "fixtures" / "corpus" / "2.60.0"
IMPORT = "Import the logs"
Import = t.Callable[..., "dict[str, Result]"]


@pytest.fixture
def import_session(own_elasticsearch: str, monkeypatch: pytest.MonkeyPatch) -> Import:
    """Run the playbook by its full name; the server is named by the environment, all else by variables."""
    monkeypatch.setenv("ELASTICSEARCH_URL", own_elasticsearch)

    def run(*arguments: str, **variables: t.Any) -> dict[str, Result]:
        extra = json.dumps({f"raylogs_{name}": value for name, value in variables.items()})
        return results_by_task(run_playbook("--extra-vars", extra, *arguments, "raylogs.efk.import_session"))

    return run


def names(url: str) -> list[str]:
    """Name everything that a server holds: templates and data streams."""
    templates = requests.get(f"{url}/_index_template/*", timeout=60).json()["index_templates"]
    resolved = requests.get(f"{url}/_resolve/index/*", timeout=60).json()
    streams = [stream["name"] for stream in (*resolved["data_streams"], *resolved["indices"])]
    return sorted({template["name"] for template in templates if template["name"].startswith("ray-logs")} | {*streams})


def count(url: str, query: str) -> int:
    """Count the events that a query finds."""
    answer = requests.get(f"{url}/ray-logs-*/_count", params={"q": query}, timeout=60)
    return int(answer.json()["count"])


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        pytest.param({}, "missing required arguments: raylogs_import_path", id="no path"),
        pytest.param({"import_path": str(SESSION), "layout": "hourly"}, "data_stream, daily", id="an unknown layout"),
        pytest.param({"import_path": str(SESSION), "profile": "all"}, "lean, standard, full", id="an unknown profile"),
        pytest.param({"import_path": str(SESSION), "prefix": "Ray"}, "raylogs_prefix 'Ray'", id="an impossible prefix"),
    ],
)
def test_variables_are_checked_before_anything_is_written(
    own_elasticsearch: str, import_session: Import, variables: dict[str, str], words: str
) -> None:
    results = import_session(**variables)
    assert words in "".join(json.dumps(result) for result in results.values() if result.get("failed"))
    assert IMPORT not in results
    assert names(own_elasticsearch) == []


def test_a_relative_path_begins_where_the_user_stands(
    own_elasticsearch: str, import_session: Import, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PWD", str(SESSION.parent))
    found = import_session("--check", import_path=SESSION.name)
    assert found[IMPORT]["totals"]["events"] > 0
    path = json.dumps({"raylogs_import_path": SESSION.name, "raylogs_import_host": "ray1"})
    printed = run_playbook("--inventory", "ray1,", "--extra-vars", path, "raylogs.efk.import_session")
    assert "is relative, and nobody stands anywhere on ray1. Give the whole path there, such as /tmp/ray." in printed
    assert names(own_elasticsearch) == []


def test_foretold_imported_and_imported_again(own_elasticsearch: str, import_session: Import) -> None:
    variables = {"import_path": str(SESSION), "import_cluster": "training"}
    foretold = import_session("--check", **variables)
    assert foretold[IMPORT]["changed"]
    assert names(own_elasticsearch) == []

    first = import_session(**variables)
    totals = first[IMPORT]["totals"]
    assert foretold[IMPORT]["totals"] == totals
    assert totals["stored"] == totals["events"] > 0
    assert (totals["rejected"], totals["already_present"]) == (0, 0)
    assert names(own_elasticsearch) == ["ray-logs-app-default", "ray-logs-event-default", "ray-logs-system-default"]
    assert count(own_elasticsearch, "ray.cluster:training") == totals["stored"]
    assert count(own_elasticsearch, "level:ERROR AND message:timeout") > 0
    assert f"{totals['stored']:,} stored" in first["Say how much was imported"]["msg"]
    assert "Kind of file" in first["Show what was imported"]["msg"]

    second = import_session(**variables)
    assert [name for name, result in second.items() if result["changed"]] == []
    assert second[IMPORT]["totals"]["already_present"] == totals["stored"]
    assert count(own_elasticsearch, "*") == totals["stored"]


def test_variables_reach_role_and_module(own_elasticsearch: str, import_session: Import) -> None:
    variables = {
        "import_path": str(CORPUS / "text-default"),
        "import_zone": "+05:30",
        "import_keep_copies": True,
        "tenant": "other",
        "layout": "daily",
        "profile": "full",
        "catalogue_extra": {"kinds": [{"id": "serve_replica", "store": "never"}]},
        "fields_extra": [{"name": "app.order_id", "type": "keyword", "path": "order_id"}],
    }
    imported = import_session(**variables)[IMPORT]
    never = {files["kind"]: files["reason"] for files in imported["never_logs"]}
    assert never["serve_replica"] == "never stored"
    assert imported["totals"]["left_out"] == 0, "copies and all that a lesser profile leaves out"
    assert imported["zone"]["name"] == "+05:30"
    indices = requests.get(f"{own_elasticsearch}/_mapping", timeout=60).json()
    daily = [name for name in indices if name.startswith("ray-logs-app-other-20")]
    assert daily
    assert indices[daily[0]]["mappings"]["properties"]["app"]["properties"]["order_id"]["type"] == "keyword"
