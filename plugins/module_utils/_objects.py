# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kinds of objects by which Elasticsearch stores and keeps documents."""

from __future__ import annotations

from ansible_collections.raylogs.efk.plugins.module_utils._api import Body, OptionError, Options, Params
from ansible_collections.raylogs.efk.plugins.module_utils._elasticsearch import ELASTICSEARCH
from ansible_collections.raylogs.efk.plugins.module_utils._normalise import (
    SERVER_DATES,
    correct_phases,
    correct_pipeline,
    correct_settings,
    correct_template,
    keep_declared_settings,
    normalise_cluster_settings,
    normalise_component_template,
    normalise_data_stream,
    normalise_ilm_policy,
    normalise_index_template,
    normalise_mapping,
    normalise_pipeline,
    without_none,
)
from ansible_collections.raylogs.efk.plugins.module_utils._resource import Resource, Write, keep_declared

NOTES: Options = {
    "version": {"type": "int"},
    "meta": {"type": "dict", "aliases": ["_meta"]},
    "deprecated": {"type": "bool"},
}
TEMPLATE: Options = {
    "template": {
        "type": "dict",
        "options": {
            "settings": {"type": "dict"},
            "mappings": {"type": "dict"},
            "aliases": {"type": "dict"},
            "lifecycle": {"type": "dict"},
            "data_stream_options": {"type": "dict"},
        },
    },
    **NOTES,
}
INDEX_TEMPLATE_KEYS = (
    "index_patterns",
    "composed_of",
    "ignore_missing_component_templates",
    "priority",
    "allow_auto_create",
)


def check_printable(kind: str, name: str) -> None:
    """Refuse a name that would be taken for several.

    :raises OptionError: with the fix.
    """
    if not name or name.startswith("_") or set(name) & set("*?,/ \t\n"):
        raise OptionError(
            f"{kind[0].upper()}{kind[1:]} cannot be named {name!r}. Leave out blanks, '/', ',', '*' and '?', "
            "and do not begin with '_'.",
        )


def check_template_name(kind: str, name: str) -> None:
    """Refuse what Elasticsearch refuses as the name of a template.

    :raises OptionError: with the fix.
    """
    if not name or name != name.lower() or name.startswith("_") or set(name) & set(" \t\n,#*/"):
        raise OptionError(
            f"{kind.capitalize()} cannot be named {name!r}. Use small letters, leave out blanks, ',', '#', '*' and "
            "'/', and do not begin with '_'.",
        )


def notes(params: Params) -> Body:
    """Take what users note about an object; None is what was not given."""
    return {"version": params["version"], "_meta": params["meta"], "deprecated": params["deprecated"]}


# Cluster settings


def desired_cluster_settings(params: Params) -> Body:
    """Build the settings that a request changes; null resets one.

    :raises OptionError: when there are none.
    """
    levels = without_none({level: params[level] for level in ("persistent", "transient")})
    if not any(levels.values()):
        raise OptionError("Neither persistent nor transient names a setting. Give at least one.")
    return {level: correct_settings(settings) for level, settings in levels.items()}


CLUSTER_SETTINGS = Resource(
    kind="cluster settings",
    api=ELASTICSEARCH,
    path="/_cluster/settings?flat_settings=true",
    options={"persistent": {"type": "dict"}, "transient": {"type": "dict"}},
    desired=desired_cluster_settings,
    entries=lambda answer: {"": answer},
    normalise=normalise_cluster_settings,
    scope=keep_declared_settings,
    named=False,
)


# ILM policies


def desired_ilm_policy(params: Params) -> Body:
    """Build the policy Elasticsearch should hold.

    :raises OptionError: when a phase is misspelt.
    """
    try:
        phases = correct_phases(params["phases"])
    except OptionError as error:
        raise OptionError(f"Cannot write ILM policy '{params['name']}': {error}") from error
    return without_none({"phases": phases, "_meta": params["meta"], "deprecated": params["deprecated"]})


def ilm_policies(answer: Body) -> dict[str, Body]:
    """Take policies by name out of an answer, each with what the server says about it."""
    return {name: {**found["policy"], **without_policy(found)} for name, found in answer.items()}


def without_policy(found: Body) -> Body:
    """Leave the policy out of what the server says about it."""
    return {key: value for key, value in found.items() if key != "policy"}


def write_policy(path: str, desired: Body, _current: Body | None) -> list[Write]:
    """Replace a policy, which stands under a key of its own."""
    return [("PUT", path, {"policy": desired})]


ILM_POLICY = Resource(
    kind="ILM policy",
    api=ELASTICSEARCH,
    path="/_ilm/policy/{name}",
    options={"phases": {"type": "dict"}, "meta": NOTES["meta"], "deprecated": NOTES["deprecated"]},
    required_if=(("state", "present", ["phases"]),),
    desired=desired_ilm_policy,
    entries=ilm_policies,
    normalise=normalise_ilm_policy,
    server_owned=frozenset({"version", "modified_date", "modified_date_string", "in_use_by"}),
    writes=write_policy,
    check_name=check_printable,
    feature="ilm",
)


# Ingest pipelines


def desired_ingest_pipeline(params: Params) -> Body:
    """Build the body Elasticsearch should hold."""
    parts = {
        "description": params["description"],
        "processors": correct_pipeline(params["processors"]),
        "on_failure": correct_pipeline(params["on_failure"]),
        **notes(params),
    }
    return without_none(parts)


INGEST_PIPELINE = Resource(
    kind="ingest pipeline",
    api=ELASTICSEARCH,
    path="/_ingest/pipeline/{name}",
    options={
        "description": {"type": "str"},
        "processors": {"type": "list", "elements": "dict"},
        "on_failure": {"type": "list", "elements": "dict"},
        **NOTES,
    },
    required_if=(("state", "present", ["processors"]),),
    desired=desired_ingest_pipeline,
    entries=lambda answer: answer,
    normalise=normalise_pipeline,
    server_owned=SERVER_DATES,
    check_name=check_printable,
)


# Component templates and index templates


def common_parts(params: Params) -> Body:
    """Build what the bodies of both have; a mapping must be one that can be compared with that of an index."""
    normalise_mapping((params["template"] or {}).get("mappings") or {})
    return {
        "template": None if params["template"] is None else correct_template(params["template"]),
        **notes(params),
    }


def desired_component_template(params: Params) -> Body:
    """Build the body Elasticsearch should hold."""
    return without_none(common_parts(params))


def desired_index_template(params: Params) -> Body:
    """Build the body Elasticsearch should hold.

    :raises OptionError: when a pattern is empty.
    """
    if params["index_patterns"] and not all(pattern and pattern != "None" for pattern in params["index_patterns"]):
        raise OptionError(f"Index template '{params['name']}' has an empty pattern in index_patterns. Leave it out.")
    parts = {
        **{key: params[key] for key in INDEX_TEMPLATE_KEYS},
        **common_parts(params),
        "data_stream": None if params["data_stream"] is None else without_none(params["data_stream"]),
    }
    return without_none(parts)


COMPONENT_TEMPLATE = Resource(
    kind="component template",
    api=ELASTICSEARCH,
    path="/_component_template/{name}",
    options=TEMPLATE,
    required_if=(("state", "present", ["template"]),),
    check_name=check_template_name,
    desired=desired_component_template,
    entries=lambda answer: {found["name"]: found["component_template"] for found in answer["component_templates"]},
    normalise=normalise_component_template,
    server_owned=SERVER_DATES,
)
INDEX_TEMPLATE = Resource(
    kind="index template",
    api=ELASTICSEARCH,
    path="/_index_template/{name}",
    options={
        "index_patterns": {"type": "list", "elements": "str"},
        "composed_of": {"type": "list", "elements": "str"},
        "ignore_missing_component_templates": {"type": "list", "elements": "str"},
        "priority": {"type": "int"},
        "data_stream": {
            "type": "dict",
            "options": {"hidden": {"type": "bool"}, "allow_custom_routing": {"type": "bool"}},
        },
        "allow_auto_create": {"type": "bool"},
        **TEMPLATE,
    },
    required_if=(("state", "present", ["index_patterns"]),),
    check_name=check_template_name,
    desired=desired_index_template,
    entries=lambda answer: {found["name"]: found["index_template"] for found in answer["index_templates"]},
    normalise=normalise_index_template,
    server_owned=SERVER_DATES,
)


# Data streams


def desired_data_stream(params: Params) -> Body:
    """Build what is declared of a data stream; without a lifecycle, whatever it has is left alone."""
    return {} if params["lifecycle"] is None else {"lifecycle": without_none(params["lifecycle"])}


def write_data_stream(path: str, desired: Body, current: Body | None) -> list[Write]:
    """Create the stream where it is absent, then give it its lifecycle."""
    creation: list[Write] = [("PUT", path, None)] if current is None else []
    lifecycle: list[Write] = [("PUT", f"{path}/_lifecycle", desired["lifecycle"])] if "lifecycle" in desired else []
    return creation + lifecycle


DATA_STREAM = Resource(
    kind="data stream",
    api=ELASTICSEARCH,
    path="/_data_stream/{name}",
    options={
        "lifecycle": {
            "type": "dict",
            "options": {
                "data_retention": {"type": "str"},
                "enabled": {"type": "bool"},
                "downsampling": {"type": "list", "elements": "dict"},
            },
        },
    },
    desired=desired_data_stream,
    entries=lambda answer: {found["name"]: found for found in answer["data_streams"]},
    normalise=normalise_data_stream,
    query="?expand_wildcards=all",
    scope=keep_declared,
    writes=write_data_stream,
    feature="data_stream_api",
    needs=lambda desired: "data_stream_lifecycle" if "lifecycle" in desired else "",
)
