# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bodies that Elasticsearch keeps otherwise than they were written, or just so; by kind and by words."""

from __future__ import annotations

import typing as t

Body = dict[str, t.Any]
Cases = dict[str, Body]

SETTINGS: Cases = {
    "a number": {"number_of_shards": 1},
    "a number as text": {"number_of_shards": "1"},
    "a dotted name": {"index.number_of_shards": 1},
    "a nested name": {"index": {"number_of_shards": 1}},
    "another number": {"number_of_shards": 2},
    "a number with a leading nought": {"number_of_replicas": "01"},
    "three spellings at once": {"index": {"hidden": True}, "index.codec": "default", "priority": 3},
    "yes": {"index.hidden": True},
    "yes as text": {"index.hidden": "true"},
    "no": {"index.hidden": False},
    "minus one": {"refresh_interval": -1},
    "minus one as text": {"refresh_interval": "-1"},
    "a time": {"refresh_interval": "60s"},
    "the same time in minutes": {"refresh_interval": "1m"},
    "a time in capitals": {"refresh_interval": "60S"},
    "null": {"refresh_interval": None},
    "a size": {"translog.flush_threshold_size": "512mb"},
    "a size in capitals": {"translog": {"flush_threshold_size": "512MB"}},
    "a fraction": {"merge.policy.deletes_pct_allowed": 20.5},
    "a list": {"query.default_field": ["a", "b"]},
    "a list of one": {"query.default_field": ["message"]},
    "an empty list": {"query.default_field": []},
    "the word of a list of one": {"query.default_field": "message"},
    "words with a comma": {"query.default_field": "message,log"},
    "an analysis": {
        "analysis": {"analyzer": {"a": {"type": "custom", "tokenizer": "standard", "filter": ["lowercase"]}}}
    },
    "attributes of nodes": {
        "routing.allocation.require.box": "hot",
        "index.routing.allocation.include": {"zone": "a,b"},
    },
    "numbers by which nodes are chosen": {"index.routing.allocation.total_shards_per_node": 2},
    "no replicas": {"auto_expand_replicas": False},
    "a span of replicas": {"auto_expand_replicas": "0-all"},
    "nothing below index": {"index": {}},
}
MAPPINGS: Cases = {
    "an object with its type": {"properties": {"a": {"type": "object", "properties": {"b": {"type": "ip"}}}}},
    "an object without its type": {"properties": {"a": {"properties": {"b": {"type": "ip"}}}}},
    "a dotted field": {"properties": {"a.b": {"type": "ip"}}},
    "a bare object": {"properties": {"a": {"type": "object"}}},
    "an empty object": {"properties": {"a": {"type": "object", "properties": {}}}},
    "no fields": {"properties": {}},
    "dynamic": {"dynamic": True},
    "dynamic as text": {"dynamic": "true"},
    "not dynamic": {"dynamic": False},
    "strict": {"dynamic": "strict"},
    "runtime": {"dynamic": "runtime"},
    "a dynamic object": {"properties": {"a": {"type": "object", "dynamic": False, "enabled": True}}},
    "a source that is enabled": {"_source": {"enabled": True}},
    "a part of the source": {"_source": {"excludes": ["a"]}},
    "detection": {"date_detection": True, "numeric_detection": False},
    "an index that is off": {"enabled": False},
    "notes": {"_meta": {"a.b": 1.5, "c": None, "d": {}}},
    "a keyword with its defaults": {
        "properties": {"a": {"type": "keyword", "index": True, "doc_values": True, "norms": False}}
    },
    "a keyword": {"properties": {"a": {"type": "keyword"}}},
    "a short keyword": {"properties": {"a": {"type": "keyword", "ignore_above": 256}}},
    "a short keyword as text": {"properties": {"a": {"type": "keyword", "ignore_above": "256"}}},
    "a keyword out of the index": {"properties": {"a": {"type": "keyword", "index": False}}},
    "a keyword out of the index as text": {"properties": {"a": {"type": "keyword", "index": "false"}}},
    "text with its defaults": {"properties": {"a": {"type": "text", "norms": True, "store": False}}},
    "text": {"properties": {"a": {"type": "text"}}},
    "text without norms": {"properties": {"a": {"type": "text", "norms": False, "analyzer": "standard"}}},
    "text and keyword": {"properties": {"a": {"type": "text", "fields": {"raw": {"type": "keyword", "index": True}}}}},
    "a date with its default format": {
        "properties": {"a": {"type": "date", "format": "strict_date_optional_time||epoch_millis"}}
    },
    "a date": {"properties": {"a": {"type": "date"}}},
    "a date in seconds": {"properties": {"a": {"type": "date", "format": "epoch_second"}}},
    "a number with its defaults": {"properties": {"a": {"type": "long", "coerce": True, "ignore_malformed": False}}},
    "a copy": {"properties": {"a": {"type": "keyword", "copy_to": "b"}, "b": {"type": "keyword"}}},
    "a copy in a list": {"properties": {"a": {"type": "keyword", "copy_to": ["b"]}, "b": {"type": "keyword"}}},
    "an alias": {"properties": {"a": {"type": "keyword"}, "b": {"type": "alias", "path": "a"}}},
    "a runtime field": {"runtime": {"r": {"type": "keyword"}}},
    "dynamic templates": {
        "dynamic_templates": [{"all": {"match_mapping_type": "string", "mapping": {"type": "keyword"}}}]
    },
}
ALIASES: Cases = {
    "bare": {"a": {}},
    "routing": {"a": {"routing": "1"}},
    "both halves of routing": {"a": {"index_routing": "1", "search_routing": "1"}},
    "routing of searches": {"a": {"routing": "1", "search_routing": "2"}},
    "routing of writes alone": {"a": {"index_routing": "1"}},
    "hidden": {"a": {"is_hidden": True}},
    "not hidden": {"a": {"is_hidden": False}},
    "not to be written": {"a": {"is_write_index": False}},
    "a filter": {"a": {"filter": {"term": {"b": "c"}}}},
    "two": {"a": {}, "b": {"routing": "1"}},
}
LIFECYCLES: Cases = {
    "default": {},
    "a week": {"data_retention": "7d"},
    "a week in hours": {"data_retention": "168h"},
    "a week in capitals": {"data_retention": "7D"},
    "enabled": {"enabled": True},
    "switched off": {"enabled": False},
    "switched off as text": {"enabled": "false"},
    "for ever": {"data_retention": None},
    "downsampling": {"downsampling": [{"after": "1d", "fixed_interval": "1h"}]},
    "downsampling in capitals": {"downsampling": [{"after": "1D", "fixed_interval": "60m"}]},
    "no downsampling": {"downsampling": None},
}
STORES: Cases = {
    "enabled": {"failure_store": {"enabled": True}},
    "enabled as text": {"failure_store": {"enabled": "true"}},
    "off": {"failure_store": {"enabled": False}},
    "for a week": {"failure_store": {"enabled": True, "lifecycle": {"data_retention": "7D"}}},
    "with the default lifecycle": {"failure_store": {"lifecycle": {}}},
    "with a lifecycle that is off": {"failure_store": {"lifecycle": {"enabled": False}}},
    "nothing said of it": {},
}
PATTERNS: Body = {"index_patterns": ["raylogs-rewrites-*"]}
PART = "raylogs-rewrites-part"
INDEX_TEMPLATES: Cases = {
    "only patterns": PATTERNS,
    "a pattern as text": {"index_patterns": "raylogs-rewrites-*"},
    "two patterns": {"index_patterns": ["raylogs-rewrites-*", "raylogs-also-*"]},
    "a component as text": {**PATTERNS, "composed_of": PART},
    "a component": {**PATTERNS, "composed_of": [PART]},
    "no component": {**PATTERNS, "composed_of": []},
    "a priority": {**PATTERNS, "priority": 100},
    "a priority as text": {**PATTERNS, "priority": "100"},
    "another priority": {**PATTERNS, "priority": 101},
    "a version": {**PATTERNS, "version": 7},
    "a version as text": {**PATTERNS, "version": "7"},
    "notes": {**PATTERNS, "_meta": {"a.b": None, "c": {}, "d": 1.5, "e": True, "f": [1, "1"]}},
    "empty notes": {**PATTERNS, "_meta": {}},
    "notes of text": {**PATTERNS, "_meta": {"d": "1.5", "e": "true"}},
    "an empty template": {**PATTERNS, "template": {}},
    "empty parts": {**PATTERNS, "template": {"settings": {}, "mappings": {}, "aliases": {}}},
    "mappings below their type": {
        **PATTERNS,
        "template": {"mappings": {"_doc": {"properties": {"a": {"type": "ip"}}}}},
    },
    "mappings": {**PATTERNS, "template": {"mappings": {"properties": {"a": {"type": "ip"}}}}},
    "made by documents": {**PATTERNS, "allow_auto_create": True},
    "not made by documents": {**PATTERNS, "allow_auto_create": False},
    "all parts": {
        **PATTERNS,
        "priority": 1,
        "template": {
            "settings": {"number_of_shards": 1},
            "mappings": {"dynamic": False},
            "aliases": {"a": {"routing": "1"}},
        },
    },
}
STREAM: Body = {**PATTERNS, "data_stream": {}}
INDEX_TEMPLATES_SINCE_8: Cases = {
    "a data stream": STREAM,
    "a data stream that is not hidden": {**STREAM, "data_stream": {"hidden": False}},
    "a hidden data stream": {**STREAM, "data_stream": {"hidden": True}},
    "routing of one's own": {**STREAM, "data_stream": {"allow_custom_routing": True}},
    "a component that may be missing": {**PATTERNS, "ignore_missing_component_templates": ["raylogs-rewrites-missing"]},
    "deprecated": {**PATTERNS, "deprecated": True},
    "not deprecated": {**PATTERNS, "deprecated": False},
    **{
        f"failure store: {name}": {**STREAM, "template": {"data_stream_options": body}} for name, body in STORES.items()
    },
    **{f"lifecycle: {name}": {**STREAM, "template": {"lifecycle": body}} for name, body in LIFECYCLES.items()},
}
COMPONENT_TEMPLATES: Cases = {
    "an empty template": {"template": {}},
    "empty parts": {"template": {"settings": {}, "mappings": {}, "aliases": {}}},
    "a version": {"template": {}, "version": 3},
    "a version as text": {"template": {}, "version": "3"},
    "notes": {"template": {}, "_meta": {"by": "x", "n": 1}},
    "empty notes": {"template": {}, "_meta": {}},
    **{f"settings: {name}": {"template": {"settings": body}} for name, body in SETTINGS.items()},
    **{f"mappings: {name}": {"template": {"mappings": body}} for name, body in MAPPINGS.items()},
    **{f"aliases: {name}": {"template": {"aliases": body}} for name, body in ALIASES.items()},
}
COMPONENT_TEMPLATES_SINCE_8: Cases = {
    "deprecated": {"template": {}, "deprecated": True},
    **{f"lifecycle: {name}": {"template": {"lifecycle": body}} for name, body in LIFECYCLES.items()},
}
USER: Body = {"set_security_user": {"field": "user", "properties": ["username"], "ignore_failure": True, "tag": "t"}}
PIPELINES: Cases = {
    "no processor": {"processors": []},
    "a processor": {"processors": [USER]},
    "two processors": {"processors": [USER, {"set_security_user": {"field": "b"}}]},
    "two processors in another order": {"processors": [{"set_security_user": {"field": "b"}}, USER]},
    "a flag that is off": {
        "processors": [{"set_security_user": {**USER["set_security_user"], "ignore_failure": False}}]
    },
    "a null description": {"processors": [], "description": None},
    "a description": {"processors": [], "description": "d"},
    "an empty description": {"processors": [], "description": ""},
    "a version": {"processors": [], "version": 3},
    "notes": {"processors": [], "_meta": {"a": 1.5, "b": None}},
    "notes of text": {"processors": [], "_meta": {"a": "1.5", "b": "null"}},
    "processors for failures": {"processors": [USER], "on_failure": [{"set_security_user": {"field": "b"}}]},
    "processors for failures of a processor": {
        "processors": [{"set_security_user": {"field": "a", "on_failure": [{"set_security_user": {"field": "b"}}]}}]
    },
    "a condition": {"processors": [{"set_security_user": {"field": "a", "description": "d"}}]},
}
PIPELINES_SINCE_8: Cases = {"deprecated": {"processors": [], "deprecated": True}}
CLUSTER_SETTINGS: Cases = {
    "a number": {"cluster.max_shards_per_node": 2000},
    "a number as text": {"cluster.max_shards_per_node": "2000"},
    "a nested name": {"cluster": {"max_shards_per_node": 2000}},
    "another number": {"cluster.max_shards_per_node": 3000},
    "yes": {"action.destructive_requires_name": True},
    "yes as text": {"action.destructive_requires_name": "true"},
    "no": {"action.destructive_requires_name": False},
    "a share": {
        "cluster.routing.allocation.disk.watermark.low": "91%",
        "cluster.routing.allocation.disk.watermark.high": "92%",
        "cluster.routing.allocation.disk.watermark.flood_stage": "99%",
    },
    "a time": {"cluster.info.update.interval": "60s"},
    "the same time in minutes": {"cluster.info.update.interval": "1m"},
    "a size in capitals": {"indices.recovery.max_bytes_per_sec": "41MB"},
    "a size": {"indices.recovery.max_bytes_per_sec": "41mb"},
    "a list": {"cluster.routing.allocation.awareness.attributes": ["a", "b"]},
    "words with a comma": {"cluster.routing.allocation.awareness.attributes": "a,b"},
    "a level of the log": {"logger.org.elasticsearch.raylogs": "DEBUG"},
    "attributes of nodes": {"cluster.routing.allocation.exclude._name": "raylogs-none"},
}
LEGACY_TEMPLATES: Cases = {
    "only patterns": PATTERNS,
    "a pattern as text": {"index_patterns": "raylogs-rewrites-*"},
    "an order": {**PATTERNS, "order": 2},
    "an order as text": {**PATTERNS, "order": "2"},
    "the default order": {**PATTERNS, "order": 0},
    "a version": {**PATTERNS, "version": 4},
    **{
        f"settings: {name}": {**PATTERNS, "settings": SETTINGS[name]}
        for name in ("a number", "three spellings at once", "null")
    },
    **{f"mappings: {name}": {**PATTERNS, "mappings": MAPPINGS[name]} for name in ("dynamic", "a dotted field")},
    **{f"aliases: {name}": {**PATTERNS, "aliases": ALIASES[name]} for name in ("bare", "routing")},
}
LEGACY_TEMPLATES_BEFORE_8: Cases = {"a pattern of old": {"template": "raylogs-rewrites-*"}}
CORRECTED_SINCE_8: dict[str, tuple[str, Body]] = {
    "Python's word for yes of a lifecycle": ("lifecycle", {"enabled": "True"}),
    "Python's word for no of a failure store": ("data_stream_options", {"failure_store": {"enabled": "False"}}),
}
CORRECTED: dict[str, tuple[str, Body]] = {
    "Python's word for yes in a setting": ("settings", {"index.hidden": "True"}),
    "Python's word for no in a setting": ("settings", {"index": {"hidden": "False"}}),
    "a whole number with a fraction in a setting": ("settings", {"number_of_shards": 1.0}),
    "Python's word for yes in a mapping": ("mappings", {"properties": {"a": {"type": "keyword", "index": "True"}}}),
    "Python's word for no of dynamic": ("mappings", {"dynamic": "False"}),
}
# What the server shows otherwise and yet holds to be equal: it ignores a write that changes nothing else.
POLICIES_ALIKE = [
    {
        "no age",
        "age as number",
        "age of nothing in milliseconds",
        "age of nothing in seconds",
        "age of nothing without unit",
        "ages of many noughts",
    },
    {"age in capitals", "age in days", "age in hours", "age with blanks", "age with leading nought"},
    {"rollover by age", "rollover by age in capitals"},
]
ALIKE: dict[str, list[set[str]]] = {
    "index template": [
        {"only patterns", "a pattern as text", "no component", "an empty template", "empty parts"},
        {"lifecycle: a week", "lifecycle: a week in hours", "lifecycle: a week in capitals"},
    ],
    "component template": [
        {"an empty template", "empty parts", "settings: nothing below index"},
        {"lifecycle: a week", "lifecycle: a week in hours", "lifecycle: a week in capitals"},
    ],
    "ingest pipeline": [{"no processor", "a null description"}],
}
