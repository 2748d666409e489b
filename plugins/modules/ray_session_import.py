#!/usr/bin/python
# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Import the logs of a Ray cluster into Elasticsearch."""

from __future__ import annotations

DOCUMENTATION = r"""
module: ray_session_import
short_description: Import the logs of a live or dead Ray cluster into Elasticsearch
description:
  - Reads the logs of one or several sessions of Ray from a directory or a tar archive and stores every line as a part
    of an event in the streams C(<prefix>-<class>-<tenant>); the classes are app, system and event.
  - Needs no agent on the nodes of the cluster. It runs on the host that holds the logs.
  - Importing again adds nothing, also after a rollover of the streams and over what a collector shipped; what files
    have got since then is added. An import that was interrupted is completed by running it again.
  - The streams are declared by role P(raylogs.efk.ray_log_content#role), which is applied first.
  - Links are never followed, neither those in the directory (C(session_latest)) nor those in an archive.
author: [Contributors to the raylogs.efk project (@raylogs)]
extends_documentation_fragment:
  - raylogs.efk._attributes
  - raylogs.efk._connection
attributes:
  check_mode:
    description: Reads and counts, and looks up what is stored already, without storing anything.
  diff_mode:
    description: Shows how many events of each kind of file are stored before and after.
options:
  path:
    description:
      - A session directory, the temp dir of Ray with several sessions (C(/tmp/ray)), or a folder that holds one of
        these for each node; or a tar archive of any of these.
      - Archives may be compressed with gzip, xz or bzip2; with zstd where the module runs on Python 3.14 or later.
    type: path
    required: true
  cluster:
    description: Name of the cluster, stored as C(ray.cluster).
    type: str
    default: default
  prefix:
    description: What the names of the streams begin with, words of a-z, 0-9 and underscores joined by hyphens.
    type: str
    default: ray-logs
  tenant:
    description: The unit of access and retention, part of the names of the streams, of a-z, 0-9 and underscores.
    type: str
    default: default
  layout:
    description:
      - Whether events go to data streams, or to daily indices C(<prefix>-<class>-<tenant>-YYYY.MM.DD) by the time of
        the event.
    type: str
    choices: [data_stream, daily]
    default: data_stream
  profile:
    description: How much is stored; what is left out is counted.
    type: str
    choices: [lean, standard, full]
    default: standard
  zone:
    description:
      - Time zone of the local times in the logs, a name of the tz database (C(Europe/Berlin)) or an offset (C(+05:30)).
      - Empty finds it out from lines that show a local time and an absolute one, and else takes UTC and marks the
        events with the tag C(zone_assumed).
    type: str
    default: ""
  keep_copies:
    description: Whether lines that only repeat those of another file of the session are stored as well.
    type: bool
    default: false
  catalogue_extra:
    description: Kinds of files that are added to the catalogue of what Ray writes, or override parts of it.
    type: dict
    default: {}
  fields_extra:
    description: Fields of users' own JSON logs that get a type; the role that declares the streams takes the same list.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name of the field, C(app.) and one word of a-z, 0-9 and underscores.
        type: str
        required: true
      type:
        description: Type of the field.
        type: str
        choices: [keyword, text, date, date_nanos, long, double, boolean, ip]
        required: true
      path:
        description: Where the value is found, the keys in the JSON line joined by dots.
        type: str
        required: true
  spool_dir:
    description: Folder into which an archive is unpacked, on the host that runs the module; by default its temp dir.
    type: path
  max_spool_bytes:
    description: The most bytes that an archive may unpack to; 0 is as much as the disk has room for, but for 256 MiB.
    type: int
    default: 0
  dead_letter_path:
    description:
      - File for the events that Elasticsearch rejects, one JSON object each with C(reason), C(status), C(index), C(id)
        and C(event).
      - It is made only when there are any, with mode 0600; by default under a new name in the system's temp dir.
    type: path
  host_name:
    description:
      - Name of the node whose logs neither say it nor lie in a folder that is named after it.
      - By default the name of the host that runs the module, which is stored as C(agent.name) too.
    type: str
"""

EXAMPLES = r"""
- name: Import the logs of Ray on this machine
  raylogs.efk.ray_session_import:
    path: /tmp/ray

- name: Import what is left of a cluster that died
  raylogs.efk.ray_session_import:
    path: /srv/incidents/2026-11-23.tar.xz
    cluster: training
    zone: America/New_York
    url: https://es1.example.com:9200
    api_key: "{{ vault_elasticsearch_api_key }}"
  register: imported

- name: Count what an import would store
  raylogs.efk.ray_session_import:
    path: /tmp/ray
    profile: full
  check_mode: true
"""

RETURN = r"""
totals:
  description: Sums over all kinds of files.
  returned: success
  type: dict
  contains:
    bytes: {description: Bytes read., type: int, returned: success}
    events: {description: Events made of them., type: int, returned: success}
    stored: {description: "Events stored now; in check mode, that would be stored.", type: int, returned: success}
    already_present: {description: Events that were stored before., type: int, returned: success}
    left_out: {description: Events that the profile leaves out or that copy others., type: int, returned: success}
    unparsed: {description: Events of a known format that could not be read as such., type: int, returned: success}
    rejected: {description: Events that Elasticsearch refused., type: int, returned: success}
  sample: {"bytes": 48213, "events": 402, "stored": 402, "already_present": 0, "left_out": 61, "unparsed": 0}
kinds:
  description: The same by kind of file, most bytes first.
  returned: success
  type: list
  elements: dict
  contains:
    kind: {description: Kind of file in the catalogue., type: str, returned: success}
    files: {description: "Files, each rotated piece by itself.", type: int, returned: success}
    bytes: {description: Bytes read., type: int, returned: success}
    events: {description: Events made of them., type: int, returned: success}
    stored: {description: "Events stored now; in check mode, that would be stored.", type: int, returned: success}
    unparsed: {description: Events of a known format that could not be read as such., type: int, returned: success}
    left_out: {description: "Sum of RV(kinds[].left_out_by).", type: int, returned: success}
    left_out_by:
      description: Events left out by the rule of the catalogue; lines, where a file is left out as a whole.
      type: dict
      returned: success
    already_present: {description: Events that were stored before., type: int, returned: success}
    rejected: {description: Events that Elasticsearch refused., type: int, returned: success}
    rejected_reasons: {description: Events refused by reason., type: dict, returned: success}
  sample:
    - kind: raylet
      files: 2
      bytes: 20480
      events: 101
      stored: 101
      unparsed: 0
      left_out: 61
      left_out_by: {"event_stats": 60, "state_dump": 1}
      already_present: 0
      rejected: 0
      rejected_reasons: {}
never_logs:
  description: Files that are not read, by kind and reason; for an archive also members that are no files.
  returned: success
  type: list
  elements: dict
  contains:
    kind: {description: Kind of file in the catalogue; empty for members of an archive., type: str, returned: success}
    reason: {description: Why they are not read., type: str, returned: success}
    files: {description: How many., type: int, returned: success}
    bytes: {description: Their size., type: int, returned: success}
  sample: [{"kind": "worker", "reason": "empty", "files": 7, "bytes": 0}]
unreadable:
  description: Files and folders that could not be read; the rest was imported.
  returned: success
  type: list
  elements: dict
  contains:
    path: {description: The file., type: str, returned: success}
    reason: {description: What the system said., type: str, returned: success}
  sample: [{"path": "/tmp/ray/session_1/logs/raylet.out", "reason": "Permission denied"}]
zone:
  description: Time zone of the local times.
  returned: success
  type: dict
  contains:
    name: {description: "The zone; several, where sessions differ.", type: str, returned: success}
    assumed: {description: Whether UTC was taken because nothing shows the zone., type: bool, returned: success}
    contradictions: {description: Files that show another zone., type: list, elements: str, returned: success}
  sample: {"name": "America/New_York", "assumed": false, "contradictions": []}
sessions:
  description: The sessions.
  returned: success
  type: list
  elements: dict
  contains:
    name: {description: Name of the session., type: str, returned: success}
    zone: {description: Its time zone., type: str, returned: success}
    zone_assumed: {description: Whether that is a guess., type: bool, returned: success}
    contradictions: {description: Files that show another zone., type: list, elements: str, returned: success}
  sample: [{"name": "session_2026-11-23_08-33-51_123456_1", "zone": "UTC", "zone_assumed": false, "contradictions": []}]
nodes:
  description: The nodes of each session.
  returned: success
  type: list
  elements: dict
  contains:
    session: {description: Name of the session., type: str, returned: success}
    host_name: {description: Name of the node., type: str, returned: success}
    node_id: {description: "Id that Ray gave it, else the name of its folder.", type: str, returned: success}
    path: {description: Its logs folder., type: str, returned: success}
    files: {description: Log files in it., type: int, returned: success}
  sample:
    - session: session_2026-11-23_08-33-51_123456_1
      host_name: head
      node_id: 3f1b0c
      path: /tmp/ray/session_2026-11-23_08-33-51_123456_1/logs
      files: 40
dead_letter_path:
  description: The file with the rejected events; empty when there are none.
  returned: success
  type: str
  sample: ""
duration:
  description: Seconds that it took.
  returned: success
  type: float
  sample: 3.2
"""

import gc
import platform
import sys
import typing as t

from ansible_collections.raylogs.efk.plugins.module_utils._elasticsearch import ELASTICSEARCH
from ansible_collections.raylogs.efk.plugins.module_utils._import import import_session
from ansible_collections.raylogs.efk.plugins.module_utils._module import execute

if t.TYPE_CHECKING:
    from ansible_collections.raylogs.efk.plugins.module_utils._api import Body, Options
    from ansible_collections.raylogs.efk.plugins.module_utils._module import Task

OPTIONS: Options = {
    "path": {"type": "path", "required": True},
    "cluster": {"type": "str", "default": "default"},
    "prefix": {"type": "str", "default": "ray-logs"},
    "tenant": {"type": "str", "default": "default"},
    "layout": {"type": "str", "choices": ["data_stream", "daily"], "default": "data_stream"},
    "profile": {"type": "str", "choices": ["lean", "standard", "full"], "default": "standard"},
    "zone": {"type": "str", "default": ""},
    "keep_copies": {"type": "bool", "default": False},
    "catalogue_extra": {"type": "dict", "default": {}},
    "fields_extra": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "name": {"type": "str", "required": True},
            "type": {
                "type": "str",
                "choices": ["keyword", "text", "date", "date_nanos", "long", "double", "boolean", "ip"],
                "required": True,
            },
            "path": {"type": "str", "required": True},
        },
    },
    "spool_dir": {"type": "path"},
    "max_spool_bytes": {"type": "int", "default": 0},
    "dead_letter_path": {"type": "path"},
    "host_name": {"type": "str"},
}


def import_here(task: Task) -> Body:
    """Import with the name of this host where the user gives none."""
    # The thread that sends must answer the server at once; events hold no cycles that are worth a frequent search.
    sys.setswitchinterval(0.0005)
    gc.set_threshold(50_000)
    params = {**task.params, "host_name": task.params["host_name"] or platform.node()}
    return import_session(task._replace(params=params))


def main() -> None:
    """Import."""
    execute(ELASTICSEARCH, OPTIONS, import_here)


if __name__ == "__main__":
    main()
