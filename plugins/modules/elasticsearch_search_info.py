#!/usr/bin/python
# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Search documents of Elasticsearch."""

from __future__ import annotations

DOCUMENTATION = r"""
module: elasticsearch_search_info
short_description: Search documents of Elasticsearch
description:
  - Finds documents by a query as one types it in Kibana's Lucene search box, or by a query in the query language (DSL).
  - Counts and groups with aggregations.
author: [Contributors to the raylogs.efk project (@raylogs)]
extends_documentation_fragment:
  - raylogs.efk._attributes.info
  - raylogs.efk._connection
options:
  index:
    description: Indices, data streams, aliases or patterns to search. Those that do not exist are left out.
    type: list
    elements: str
    default: ["ray-logs-*"]
  query_string:
    description:
      - A query such as V(level:ERROR AND message:timeout). All words must occur unless C(OR) stands between them.
      - Without O(query_string) and O(query) all documents are found.
    type: str
  query:
    description: A query in the query language (DSL).
    type: dict
  size:
    description: How many documents to return, at most 10000.
    type: int
    default: 10
  sort:
    description: The order of the documents, as fields (V(log.offset)), or as field and order (C("@timestamp":desc)).
    type: list
    elements: raw
    default: []
  fields:
    description:
      - Fields to return instead of the whole document; aliases and patterns work.
      - A field with one value is returned as that value, with several as a list.
    type: list
    elements: str
    default: []
  aggregations:
    description: Aggregations by name, as the server wants them.
    type: dict
    aliases: [aggs]
seealso:
  - name: Query string syntax
    description: What O(query_string) may hold.
    link: https://www.elastic.co/guide/en/elasticsearch/reference/8.19/query-dsl-query-string-query.html
"""

EXAMPLES = r"""
- name: Find the newest errors that speak of a timeout
  raylogs.efk.elasticsearch_search_info:
    query_string: level:ERROR AND message:timeout
    sort: ["@timestamp:desc"]
    fields: ["@timestamp", actor_name, message]

- name: Count the errors by component
  raylogs.efk.elasticsearch_search_info:
    query_string: level:ERROR
    size: 0
    aggregations:
      components:
        terms: {field: ray.component}
"""

RETURN = r"""
total:
  description: How many documents the query finds.
  returned: success
  type: int
  sample: 42
took_ms:
  description: Milliseconds that the server took.
  returned: success
  type: int
  sample: 3
hits:
  description: The documents, or their fields.
  returned: success
  type: list
  elements: dict
  contains:
    index:
      description: The index that holds the document.
      returned: always
      type: str
      sample: .ds-ray-logs-app-default-2026.11.23-000001
    id:
      description: The document's id.
      returned: always
      type: str
      sample: 5d4140AAAC
    source:
      description: The whole document.
      returned: without O(fields)
      type: dict
      sample: {"message": "request timeout"}
    fields:
      description: The fields that were asked for, where the document has them.
      returned: with O(fields)
      type: dict
      sample: {"message": "request timeout"}
  sample: [{"index": "ray-logs-app-default", "id": "5d4140AAAC", "fields": {"message": "request timeout"}}]
aggregations:
  description: The answer to O(aggregations), as the server gives it.
  returned: success
  type: dict
  sample: {"components": {"buckets": [{"key": "raylet", "doc_count": 3}]}}
"""

import typing as t
from http import HTTPStatus
from urllib.parse import quote

from ansible_collections.raylogs.efk.plugins.module_utils._api import ApiError, OptionError, Request
from ansible_collections.raylogs.efk.plugins.module_utils._elasticsearch import ELASTICSEARCH, Connection, call
from ansible_collections.raylogs.efk.plugins.module_utils._module import inform

if t.TYPE_CHECKING:
    from ansible_collections.raylogs.efk.plugins.module_utils._api import Body, Options, Params

MOST_DOCUMENTS = 10000
LENIENT = "ignore_unavailable=true&allow_no_indices=true"
# Hits of some shards alone would pass for all there are.
WHOLE = "allow_partial_search_results=false"
OPTIONS: Options = {
    "index": {"type": "list", "elements": "str", "default": ["ray-logs-*"]},
    "query_string": {"type": "str"},
    "query": {"type": "dict"},
    "size": {"type": "int", "default": 10},
    "sort": {"type": "list", "elements": "raw", "default": []},
    "fields": {"type": "list", "elements": "str", "default": []},
    "aggregations": {"type": "dict", "aliases": ["aggs"]},
}


def build_search(params: Params) -> Body:
    """Build the body of the search.

    :raises OptionError: when options contradict each other.
    """
    if params["query_string"] and params["query"]:
        raise OptionError("query_string and query are both given. Give one of them.")
    if not 0 <= params["size"] <= MOST_DOCUMENTS:
        raise OptionError(f"size is {params['size']}. Give 0 to {MOST_DOCUMENTS}, and narrow the query for more.")
    words = {"query": params["query_string"], "default_field": "message", "default_operator": "AND", "lenient": True}
    body: Body = {
        "query": params["query"] or ({"query_string": words} if params["query_string"] else {"match_all": {}}),
        "size": params["size"],
        "track_total_hits": True,
        "sort": [build_order(order) for order in params["sort"]],
    }
    if params["fields"]:
        body.update(_source=False, fields=params["fields"])
    if params["aggregations"]:
        body["aggs"] = params["aggregations"]
    return body


def build_order(order: str | Body) -> str | Body:
    """Turn field:order into what the body of a search wants."""
    if isinstance(order, str) and order.endswith((":asc", ":desc")):
        field, _separator, direction = order.rpartition(":")
        return {field: {"order": direction}}
    return order


def describe_hit(hit: Body) -> Body:
    """Return what is worth knowing of one document found."""
    described: Body = {"index": hit["_index"], "id": hit["_id"]}
    if "_source" in hit:
        return {**described, "source": hit["_source"]}
    fields = hit.get("fields", {})
    return {**described, "fields": {key: value[0] if len(value) == 1 else value for key, value in fields.items()}}


def find_fault(explanations: list[Body]) -> str:
    """Return what the parser of queries says, of all that the server says about a query."""
    errors = [explanation["error"] for explanation in explanations if "error" in explanation]
    return errors[0].rpartition("Exception: ")[2].partition("\n")[0].rstrip(".") if errors else ""


def check_query(connection: Connection, indices: str, query: Body) -> None:
    """Ask the server what is wrong with a query that it refused.

    :raises OptionError: when the query is the reason.
    """
    path = f"/{indices}/_validate/query?explain=true&{LENIENT}"
    answer = call(connection, Request("Cannot check the query", "POST", path, {"query": query}, repeatable=True))
    if fault := find_fault(answer.get("explanations", [])):
        raise OptionError(
            f"Elasticsearch does not understand the query: {fault}. "
            "Close brackets and quotes, and put a backslash before signs that are meant as such."
        )


def search(connection: Connection, params: Params) -> Body:
    """Search once.

    :raises ApiError: when the server refuses the search for another reason than its query.
    """
    body = build_search(params)
    indices = quote(",".join(params["index"]), safe=",*-")
    request = Request("Cannot search", "POST", f"/{indices}/_search?{LENIENT}&{WHOLE}", body, repeatable=True)
    try:
        answer = call(connection, request)
    except ApiError as error:
        if error.status != HTTPStatus.BAD_REQUEST:
            raise
        check_query(connection, indices, body["query"])
        fix = "Check the fields that sort and aggregations name."
        raise ApiError(error.what, error.where, error.said, fix, error.status) from error
    return {
        "total": answer["hits"]["total"]["value"],
        "took_ms": answer["took"],
        "hits": [describe_hit(hit) for hit in answer["hits"]["hits"]],
        "aggregations": answer.get("aggregations", {}),
    }


def main() -> None:
    """Search."""
    inform(ELASTICSEARCH, OPTIONS, search)


if __name__ == "__main__":
    main()
