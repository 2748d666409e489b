# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring objects of Elasticsearch into one form, one function per thing that the server rewrites; all of it is pure.

`correct_…` mends what Jinja makes of a value, before it is written. Everything else is for comparison: it is applied to
what is wanted and to what the server holds.
"""

from __future__ import annotations

import fnmatch
import re
import typing as t

from ansible_collections.raylogs.efk.plugins.module_utils._api import Body, OptionError

Rule = t.Callable[[Body], Body]

SERVER_DATES = frozenset({"created_date", "modified_date", "created_date_millis", "modified_date_millis"})
BOOLEAN_PARAMETERS = frozenset(
    {
        "coerce",
        "date_detection",
        "doc_values",
        "dynamic",
        "eager_global_ordinals",
        "enabled",
        "fielddata",
        "ignore_malformed",
        "ignore_z_value",
        "include_in_parent",
        "include_in_root",
        "index",
        "norms",
        "numeric_detection",
        "required",
        "split_queries_on_whitespace",
        "store",
        "time_series_dimension",
    }
)
NUMBER_PARAMETERS = frozenset(
    {
        "depth_limit",
        "dims",
        "ignore_above",
        "max_input_length",
        "max_shingle_size",
        "position_increment_gap",
        "scaling_factor",
    }
)
FIELD_DEFAULTS: Body = {"index": True, "doc_values": True, "store": False}
DEFAULT_DATE_FORMAT = "strict_date_optional_time||epoch_millis"
ILM_DEFAULTS: dict[str, Body] = {
    "allocate": {"include": {}, "exclude": {}, "require": {}},
    "delete": {"delete_searchable_snapshot": True},
    "downsample": {"wait_timeout": "1d"},
    "migrate": {"enabled": True},
    "searchable_snapshot": {"force_merge_index": True},
    "shrink": {"allow_write_after_shrink": False},
}
WORKED_OUT = frozenset({"effective_retention", "retention_determined_by", "rollover"})
ILM_PHASES = ("hot", "warm", "cold", "frozen", "delete")
PROCESSOR_FLAGS = frozenset(
    {
        "add_to_root",
        "allow_duplicates",
        "case_insensitive",
        "ecs_compatible",
        "ignore_empty_value",
        "ignore_failure",
        "ignore_missing",
        "ignore_missing_pipeline",
        "keep_original",
        "override",
        "remove_if_successful",
        "strict_json_parsing",
        "trace_match",
        "trim",
    }
)
ILM_FLAGS = frozenset({"allow_write_after_shrink", "delete_searchable_snapshot", "enabled", "force_merge_index"})
ILM_NUMBERS = frozenset(
    {"max_num_segments", "number_of_replicas", "number_of_shards", "priority", "total_shards_per_node"}
)
ILM_TIMES = frozenset({"max_age", "min_age", "replicate_for", "wait_timeout"})
TIMES = {"d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1}
SIZES = {"p": 1 << 50, "t": 1 << 40, "g": 1 << 30, "m": 1 << 20, "k": 1 << 10, "": 1}


def without_none(body: Body) -> Body:
    """Leave out the options that were not given; {} and [] stay."""
    return {key: value for key, value in body.items() if value is not None}


def apply_rules(body: Body, rules: t.Sequence[Rule]) -> Body:
    """Apply one rule after the other."""
    for rule in rules:
        body = rule(body)
    return body


# What Jinja makes of a value


def correct_scalar(value: t.Any) -> t.Any:
    """Turn "True" into "true" and 1.0 into 1: the server refuses them in settings that are boolean or whole numbers."""
    if value in ("True", "False"):
        return value.lower()
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def correct_settings(settings: Body) -> Body:
    """Correct the single values of index settings; lists and the words of an analysis stay as they are."""
    return {
        key: value if key.startswith(("analysis", "index.analysis")) else correct_setting(value)
        for key, value in settings.items()
    }


def correct_setting(value: t.Any) -> t.Any:
    """Correct one value or what stands below it."""
    return correct_settings(value) if isinstance(value, dict) else correct_scalar(value)


def correct_mapping(mapping: Body) -> Body:
    """Correct the parameters of a mapping that are boolean or numbers, in all its fields."""
    corrected: Body = {}
    for key, value in mapping.items():
        if key in {"properties", "fields", "runtime"} and isinstance(value, dict):
            corrected[key] = {name: correct_field(field) for name, field in value.items()}
        elif key == "dynamic_templates" and isinstance(value, list):
            corrected[key] = [correct_dynamic_template(template) for template in value]
        elif key == "_source" and isinstance(value, dict):
            corrected[key] = correct_mapping(value)
        elif key in BOOLEAN_PARAMETERS and value in ("True", "False"):
            corrected[key] = value == "True"
        else:
            corrected[key] = correct_scalar(value) if key in NUMBER_PARAMETERS else value
    return corrected


def correct_field(field: t.Any) -> t.Any:
    """Correct one field."""
    return correct_mapping(field) if isinstance(field, dict) else field


def correct_dynamic_template(template: t.Any) -> t.Any:
    """Correct the mapping inside one named dynamic template."""
    if not isinstance(template, dict):
        return template
    return {
        name: {**rule, "mapping": correct_field(rule["mapping"])}
        if isinstance(rule, dict) and "mapping" in rule
        else rule
        for name, rule in template.items()
    }


def correct_pipeline(part: t.Any) -> t.Any:
    """Turn "True" into true where a processor wants a boolean, in all processors and those inside of them."""
    if isinstance(part, list):
        return [correct_pipeline(item) for item in part]
    if not isinstance(part, dict):
        return part
    return {
        key: value == "True" if key in PROCESSOR_FLAGS and value in ("True", "False") else correct_pipeline(value)
        for key, value in part.items()
    }


def correct_phases(phases: Body) -> Body:
    """Correct the values of the actions of an ILM policy; what allocation demands of nodes is text and stays.

    :raises OptionError: when a phase is misspelt or no phase at all.
    """
    corrected: Body = {}
    for name, phase in phases.items():
        if name not in ILM_PHASES:
            raise OptionError(f"phase {name!r} is unknown. Valid phases are {', '.join(ILM_PHASES)}.")
        actions = phase_actions({} if phase is None else phase)
        if actions is None:
            raise OptionError(f"phase {name} is not of the form {{min_age: 1d, actions: {{delete: {{}}}}}}.")
        corrected[name] = {**(phase or {}), "actions": actions}
    return corrected


def phase_actions(phase: t.Any) -> Body | None:
    """Take the corrected actions of a phase, an action without options as {}; None when it has another form."""
    actions = (phase.get("actions") or {}) if isinstance(phase, dict) else None
    if not isinstance(actions, dict) or not all(isinstance(options or {}, dict) for options in actions.values()):
        return None
    return {
        action: {key: correct_flag(value) for key, value in (options or {}).items()}
        for action, options in actions.items()
    }


def correct_flag(value: t.Any) -> t.Any:
    """Turn "True" into true and 1.0 into 1."""
    return value == "True" if value in ("True", "False") else correct_scalar(value)


def correct_template(template: Body) -> Body:
    """Correct the settings and mappings of a template, and leave out what was not given.

    :raises OptionError: when a setting is given twice with different values.
    """
    corrected = without_none(template)
    if "settings" in corrected:
        corrected["settings"] = correct_settings(corrected["settings"])
        flatten_settings(corrected["settings"])
    if "mappings" in corrected:
        corrected["mappings"] = correct_mapping(corrected["mappings"])
    if "aliases" in corrected:
        corrected["aliases"] = {name: correct_alias(alias) for name, alias in corrected["aliases"].items()}
    for part in ("lifecycle", "data_stream_options"):
        if part in corrected:
            corrected[part] = correct_enabled(corrected[part])
    return corrected


def correct_alias(alias: Body | None) -> Body:
    """Turn "True" into true where an alias is hidden or written to, and a routing into text."""
    return {
        key: str(value) if key.endswith("routing") else correct_flag(value)
        for key, value in without_none(alias or {}).items()
    }


def correct_enabled(part: t.Any) -> t.Any:
    """Turn "True" into true where something is enabled or not."""
    if not isinstance(part, dict):
        return part
    return {
        key: value == "True" if key == "enabled" and value in ("True", "False") else correct_enabled(value)
        for key, value in part.items()
    }


# Settings


def flatten_settings(settings: Body) -> Body:
    """Write nested, dotted and unprefixed settings as one flat body of index.* keys.

    :raises OptionError: when a setting is given twice with different values.
    """
    flat: Body = {}
    for key, value in leaves(settings):
        name = key if key.startswith("index.") else f"index.{key}"
        text = text_of_setting(value)
        if flat.setdefault(name, text) != text:
            raise OptionError(f"The setting {name} is given twice, as {flat[name]} and as {text}. Give it once.")
    return flat


def leaves(body: Body, prefix: str = "") -> t.Iterator[tuple[str, t.Any]]:
    """Walk over the values of nested bodies with their dotted keys."""
    for key, value in body.items():
        if isinstance(value, dict):
            yield from leaves(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


def text_of_setting(value: t.Any) -> t.Any:
    """Write a setting as the server keeps it: a string, a list of strings, or null."""
    if isinstance(value, list):
        return [text_of_setting(item) for item in value]
    if isinstance(value, bool):
        return str(value).lower()
    return None if value is None else str(value)


# Parts of templates


def drop_server_dates(body: Body) -> Body:
    """Forget when the server says that it made and changed an object (9.x)."""
    return {key: value for key, value in body.items() if key not in SERVER_DATES}


def drop_nulls(body: Body) -> Body:
    """Forget top-level keys that are null."""
    return without_none(body)


def list_patterns(body: Body) -> Body:
    """Write a single pattern or component as a list, and no component as an empty one."""
    listed = {key: body.get(key) or [] for key in ("index_patterns", "composed_of")}
    return {**body, **{key: [value] if isinstance(value, str) else value for key, value in listed.items()}}


def number_versions(body: Body) -> Body:
    """Write priority, version and order as numbers."""
    numbers = {key: int(body[key]) for key in ("priority", "version", "order") if body.get(key) is not None}
    return {**body, **numbers}


def drop_data_stream_defaults(body: Body) -> Body:
    """Keep only those options of data_stream that are switched on; its presence counts."""
    if body.get("data_stream") is None:
        return {key: value for key, value in body.items() if key != "data_stream"}
    kept = {key: value for key, value in body["data_stream"].items() if value and key != "timestamp_field"}
    return {**body, "data_stream": kept}


def unwrap_mapping_type(mappings: Body) -> Body:
    """Take mappings out of the type _doc."""
    return mappings["_doc"] if set(mappings) == {"_doc"} else mappings


def split_routing(alias: Body | None) -> Body:
    """Write an alias' routing as its two halves, and leave out an empty filter."""
    options = {key: value for key, value in without_none(alias or {}).items() if key != "filter" or value}
    routing = options.pop("routing", None)
    halves = {} if routing is None else {"index_routing": routing, "search_routing": routing}
    return {
        key: str(value) if key.endswith("_routing") else correct_flag(value)
        for key, value in {**halves, **options}.items()
    }


def enable_lifecycle(lifecycle: Body) -> Body:
    """Add that a lifecycle is enabled, which is the default, as a boolean; tidy its times."""
    tidy = {**lifecycle, "enabled": str(lifecycle.get("enabled", True)).lower() == "true"}
    if isinstance(lifecycle.get("data_retention"), str):
        tidy["data_retention"] = tidy_time(lifecycle["data_retention"])
    if isinstance(lifecycle.get("downsampling"), list):
        rounds = lifecycle["downsampling"]
        tidy["downsampling"] = [{**each, "after": tidy_time(str(each.get("after", "")))} for each in rounds]
    return tidy


def enable_failure_store(options: Body) -> Body:
    """Write whether the failure store of data streams is enabled as a boolean, and its lifecycle like any other."""
    store = dict(options.get("failure_store") or {})
    if isinstance(store.get("enabled"), str):
        store["enabled"] = store["enabled"] == "true"
    if store.get("lifecycle") is not None:
        store["lifecycle"] = enable_lifecycle(store["lifecycle"])
    return {**options, "failure_store": store} if store else options


def drop_empty_parts(template: Body) -> Body:
    """Forget empty settings, mappings and aliases: the server keeps some and drops others."""
    return {key: value for key, value in template.items() if value or key not in {"settings", "mappings", "aliases"}}


def normalise_template(template: Body | None) -> Body:
    """Normalise settings, mappings, aliases and lifecycle of a template."""
    parts = drop_empty_parts(without_none(template or {}))
    if "settings" in parts:
        parts["settings"] = flatten_settings(parts["settings"])
    if "mappings" in parts:
        parts["mappings"] = unwrap_mapping_type(parts["mappings"])
    if "aliases" in parts:
        parts["aliases"] = {name: split_routing(alias) for name, alias in parts["aliases"].items()}
    if "lifecycle" in parts:
        parts["lifecycle"] = enable_lifecycle(parts["lifecycle"])
    if "data_stream_options" in parts:
        parts["data_stream_options"] = enable_failure_store(parts["data_stream_options"])
    return drop_empty_parts(parts)


def normalise_inner_template(body: Body) -> Body:
    """Normalise what stands under the key template; to have none is to have an empty one."""
    return {**body, "template": normalise_template(body.get("template"))}


def name_patterns(body: Body) -> Body:
    """Write the only pattern of a template of old (key template) as index_patterns."""
    renamed = {("index_patterns" if key == "template" else key): value for key, value in body.items()}
    return {"order": 0, **renamed}


def normalise_legacy_parts(body: Body) -> Body:
    """Normalise the parts of a legacy template, which stand at its top."""
    parts: Body = {key: body[key] for key in ("settings", "mappings", "aliases") if key in body}
    return {**{key: value for key, value in body.items() if key not in parts}, **normalise_template(parts)}


def drop_composed_of(body: Body) -> Body:
    """Forget the components, which a legacy template cannot have."""
    return {key: value for key, value in body.items() if key != "composed_of"}


# Whole objects


def normalise_index_template(body: Body) -> Body:
    """Normalise an index template."""
    rules = (drop_server_dates, drop_nulls, list_patterns, number_versions, drop_data_stream_defaults)
    return normalise_inner_template(apply_rules(body, rules))


def normalise_component_template(body: Body) -> Body:
    """Normalise a component template."""
    return normalise_inner_template(apply_rules(body, (drop_server_dates, drop_nulls, number_versions)))


def normalise_legacy_template(body: Body) -> Body:
    """Normalise a legacy template."""
    rules = (drop_nulls, name_patterns, list_patterns, drop_composed_of, number_versions, normalise_legacy_parts)
    return apply_rules(body, rules)


def normalise_pipeline(body: Body) -> Body:
    """Normalise an ingest pipeline, which the server keeps verbatim."""
    return apply_rules(body, (drop_server_dates, drop_nulls))


# Mappings of real indices: compare with `first_difference(desired, current)`, the server keeps more than is sent


def normalise_mapping(mapping: Body) -> Body:
    """Normalise the mapping of an index, as the server does when the index is made."""
    root = normalise_fields(apply_rules(mapping, MAPPING_RULES))
    return {key: value for key, value in root.items() if key != "properties" or value}


def normalise_field(field: Body) -> Body:
    """Normalise one field."""
    return apply_rules(normalise_fields(apply_rules(field, MAPPING_RULES)), FIELD_RULES)


def normalise_fields(mapping: Body) -> Body:
    """Normalise the fields below a mapping or a field."""
    nested = dict(mapping)
    if "properties" in mapping:
        nested["properties"] = {
            name: normalise_field(field) for name, field in nest_dotted_names(mapping["properties"]).items()
        }
    if "fields" in mapping:
        nested["fields"] = {name: normalise_field(field) for name, field in mapping["fields"].items()}
    return nested


def nest_dotted_names(properties: Body) -> Body:
    """Write the field `host.name` as the field `name` of the object `host`."""
    nested: Body = {}
    for name, field in properties.items():
        first, dot, rest = name.partition(".")
        inner = {"properties": {rest: field}} if dot else field
        nested[first] = merge_objects(nested[first], inner) if first in nested else inner
    return nested


def merge_objects(one: Body, other: Body) -> Body:
    """Merge two descriptions of one object field."""
    merged = {**one, **other}
    if "properties" in one and "properties" in other:
        merged["properties"] = merge_properties(one["properties"], other["properties"])
    return merged


def merge_properties(one: Body, other: Body) -> Body:
    """Merge the fields of two descriptions of one object."""
    both = {name: merge_objects(one[name], other[name]) for name in one if name in other}
    return {**one, **other, **both}


def text_of_dynamic(field: Body) -> Body:
    """Write dynamic as text."""
    return {**field, "dynamic": text_of_setting(field["dynamic"])} if "dynamic" in field else field


def list_copy_to(field: Body) -> Body:
    """Write a single target of copy_to as a list."""
    return {**field, "copy_to": [field["copy_to"]]} if isinstance(field.get("copy_to"), str) else field


def drop_enabled(field: Body) -> Body:
    """Forget `enabled: true`, of an object and of _source."""
    return {
        key: value
        for key, value in field.items()
        if not (key == "enabled" and text_of_setting(value) == "true")
        and not (key == "_source" and value == {"enabled": True})
    }


def type_parameters(field: Body) -> Body:
    """Write parameters given as text as the booleans and numbers they are."""
    booleans = {"true": True, "false": False}
    flags = ("index", "doc_values", "norms", "coerce", "ignore_malformed", "store")
    typed: Body = {key: booleans.get(field[key], field[key]) for key in flags if isinstance(field.get(key), str)}
    if "ignore_above" in field:
        typed["ignore_above"] = int(field["ignore_above"])
    return {**field, **typed}


def drop_object_type(field: Body) -> Body:
    """Forget the type of an object that has fields."""
    has_fields = field.get("type") == "object" and field.get("properties")
    return {key: value for key, value in field.items() if not (has_fields and key == "type")}


def drop_empty_properties(field: Body) -> Body:
    """Write an object without fields as a bare object."""
    if field.get("properties") != {}:
        return field
    return {"type": "object", **{key: value for key, value in field.items() if key != "properties"}}


def drop_parameter_defaults(field: Body) -> Body:
    """Forget parameters that have their default; that of norms depends on the type."""
    defaults = {**FIELD_DEFAULTS, "norms": field.get("type", "text") == "text"}
    return {key: value for key, value in field.items() if not (key in defaults and value is defaults[key])}


def drop_default_date_format(field: Body) -> Body:
    """Forget the default format of a date."""
    default = field.get("type") == "date" and field.get("format") == DEFAULT_DATE_FORMAT
    return {key: value for key, value in field.items() if not (default and key == "format")}


MAPPING_RULES: tuple[Rule, ...] = (text_of_dynamic, list_copy_to, drop_enabled, type_parameters)
FIELD_RULES: tuple[Rule, ...] = (
    drop_object_type,
    drop_empty_properties,
    drop_parameter_defaults,
    drop_default_date_format,
)


# Cluster settings


def normalise_cluster_settings(body: Body) -> Body:
    """Write both levels flat and as text, without what is reset."""
    return {level: without_none(flatten_cluster_settings(settings)) for level, settings in body.items()}


def flatten_cluster_settings(settings: Body) -> Body:
    """Write settings of a cluster by their full names."""
    return {name: text_of_setting(value) for name, value in leaves(settings)}


def keep_declared_settings(desired: Body, current: Body) -> Body:
    """Keep those current settings that are declared; a name may end with `*`."""
    return {
        level: {
            name: value
            for name, value in flatten_cluster_settings(current.get(level, {})).items()
            if any(fnmatch.fnmatchcase(name, declared) for declared in flatten_cluster_settings(settings))
        }
        for level, settings in desired.items()
    }


# Data streams


def normalise_data_stream(body: Body) -> Body:
    """Normalise the lifecycle of a data stream, without what the server works out."""
    if body.get("lifecycle") is None:
        return {}
    declared = {key: value for key, value in body["lifecycle"].items() if key not in WORKED_OUT}
    return {"lifecycle": enable_lifecycle(without_none(declared))}


# ILM policies


def normalise_ilm_policy(policy: Body) -> Body:
    """Normalise an ILM policy."""
    phases = {name: normalise_phase(phase or {}) for name, phase in (policy.get("phases") or {}).items()}
    return {**without_none(policy), "phases": phases}


def normalise_phase(phase: Body) -> Body:
    """Normalise a phase of an ILM policy."""
    actions = {name: normalise_action(name, action or {}) for name, action in (phase.get("actions") or {}).items()}
    return {**phase, "min_age": age_of_phase(phase.get("min_age")), "actions": actions}


def age_of_phase(min_age: t.Any) -> str:
    """Write the age at which a phase begins; nought by default."""
    return tidy_time("0" if min_age is None else str(min_age))


def tidy_time(time: str) -> str:
    """Write a time in the largest unit that fits: to the server 7d and 168h are equal, and it keeps the first."""
    match = re.fullmatch(r"\s*(\d+)\s*(ms|[smhd]?)\s*", time, re.IGNORECASE)
    number, unit = (int(match.group(1)), match.group(2).lower()) if match else (0, "none")
    if not match or (number and not unit):
        return time
    milliseconds = number * TIMES[unit or "ms"]
    largest = next((name for name, size in TIMES.items() if milliseconds and milliseconds % size == 0), "ms")
    return f"{milliseconds // TIMES[largest]}{largest}"


def tidy_size(size: str) -> str:
    """Write a size in the largest unit that fits: to the server 1gb and 1024MB are equal."""
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([kmgtp]?)b?\s*", size, re.IGNORECASE)
    if not match:
        return size
    number, unit = match.group(1), match.group(2).lower()
    size_in_bytes = int(float(number) * SIZES[unit]) if "." in number else int(number) * SIZES[unit]
    largest = next((name for name, factor in SIZES.items() if size_in_bytes and size_in_bytes % factor == 0), "")
    return f"{size_in_bytes // SIZES[largest]}{largest}b"


def normalise_action(name: str, action: Body) -> Body:
    """Add the defaults of an action; write its sizes and times alike, its numbers and booleans as such."""
    typed = {key: type_action_value(key, value) for key, value in action.items()}
    return {**ILM_DEFAULTS.get(name, {}), **typed}


def type_action_value(key: str, value: t.Any) -> t.Any:
    """Write one value of an action as the server does: 50GB as 50gb, max_docs "100" as 100."""
    if not isinstance(value, str):
        return value
    if key in ILM_TIMES:
        return tidy_time(value)
    if key.endswith("_size"):
        return tidy_size(value)
    if key in ILM_FLAGS:
        return {"true": True, "false": False}.get(value, value)
    is_number = re.fullmatch(r"-?\d+(\.0+)?", value) and (key.endswith("_docs") or key in ILM_NUMBERS)
    return int(float(value)) if is_number else value
