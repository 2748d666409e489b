# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A kind of object for tests of what all kinds share, kept by a server that forgets what it does not know."""

from __future__ import annotations

from ansible_collections.raylogs.efk.plugins.module_utils._api import Api, ApiError, Body, Request
from ansible_collections.raylogs.efk.plugins.module_utils._resource import Resource

Store = dict[str, Body]


def keeper(store: Store, trouble: str = "", keeps: tuple[str, ...] = ("colour", "made"), lacks: str = "") -> Api:
    """Keep things in a dictionary, as a server that knows only some keys; a thing named broken cannot be read."""

    def answer(store: Store, request: Request) -> Body | None:
        name = request.path.partition("?")[0].rpartition("/")[2]
        if name == "broken":
            raise ApiError(request.what, request.path, "answered 500: broken", "Mend it.", 500)
        if request.method == "DELETE":
            store.pop(name)
        if request.method == "PUT":
            store[name] = {key: value for key, value in {**request.body, "made": "now"}.items() if key in keeps}
        return dict(store) if name == "thing" else {name: store[name]} if name in store else None

    return Api({"url": {"type": "str"}}, {}, lambda: trouble, lambda _params: store, answer, lambda *_: lacks)


def thing(api: Api) -> Resource:
    """Declare a kind of object."""
    return Resource(
        kind="coloured thing",
        api=api,
        path="/thing/{name}",
        options={"colour": {"type": "str"}},
        required_if=(("state", "present", ["colour"]),),
        desired=lambda params: {"colour": params["colour"]},
        entries=lambda answer: answer,
        normalise=lambda body: {key: str(value).lower() for key, value in body.items()},
        server_owned=frozenset({"made"}),
        feature="colour",
    )
