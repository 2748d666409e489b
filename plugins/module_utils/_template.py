# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What component templates and index templates of Elasticsearch have in common."""

from __future__ import annotations

import typing as t

from ansible_collections.raylogs.efk.plugins.module_utils._elasticsearch import ELASTICSEARCH
from ansible_collections.raylogs.efk.plugins.module_utils._module import Resource
from ansible_collections.raylogs.efk.plugins.module_utils._normalise import SERVER_DATES, correct_template

if t.TYPE_CHECKING:
    from ansible_collections.raylogs.efk.plugins.module_utils._api import Body, Options, Params

OPTIONS: Options = {
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
    "version": {"type": "int"},
    "meta": {"type": "dict", "aliases": ["_meta"]},
    "deprecated": {"type": "bool"},
}


def common_parts(params: Params) -> Body:
    """Build what the bodies of both have; None is what was not given."""
    return {
        "template": None if params["template"] is None else correct_template(params["template"]),
        "version": params["version"],
        "_meta": params["meta"],
        "deprecated": params["deprecated"],
    }


def template_resource(
    kind: str,
    *,
    options: Options,
    required: str,
    desired: t.Callable[[Params], Body],
    normalise: t.Callable[[Body], Body],
) -> Resource:
    """Declare one of the two; an API and its answers are named after the kind."""
    key = kind.replace(" ", "_")

    def current(answer: Body, name: str) -> Body | None:
        return next((entry[key] for entry in answer[f"{key}s"] if entry["name"] == name), None)

    return Resource(
        kind=kind,
        api=ELASTICSEARCH,
        path=f"/_{key}/{{name}}",
        options={**options, **OPTIONS},
        required_if=(("state", "present", [required]),),
        desired=desired,
        current=current,
        normalise=normalise,
        server_owned=SERVER_DATES,
    )
