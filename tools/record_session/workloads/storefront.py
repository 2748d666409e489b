# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Serve two applications, one that logs text and one that logs JSON, and send them requests."""

from __future__ import annotations

import asyncio
import http.client
import logging
import sys
import time
import typing as t
import urllib.parse

import ray
from ray import serve
from ray.serve.schema import LoggingConfig

if t.TYPE_CHECKING:
    from ray.serve.handle import DeploymentHandle
    from starlette.requests import Request

log = logging.getLogger("ray.serve")
client = logging.getLogger("shop.client")
WORDS = ("tea", "coffee", "crème", "slow", "tea", "broken", "cocoa", "tea", "hang", "milk")


@serve.deployment(num_replicas=2, ray_actor_options={"num_cpus": 0.1})
class Catalogue:
    """Look a word up."""

    async def find(self, word: str) -> list[str]:
        """Return the goods of a word."""
        log.info("Looking up %s", word)
        await asyncio.sleep(0.4 if word == "slow" else 0.01)
        if word == "broken":
            message = f"index of {word!r} is damaged"
            raise ValueError(message)
        return [f"{word} {size} g" for size in (100, 250, 500)]


@serve.deployment(ray_actor_options={"num_cpus": 0.1})
class Prices:
    """Price goods."""

    async def price(self, goods: list[str]) -> dict[str, float]:
        """Return a price for each."""
        if len(goods[0]) % 2:
            log.warning("No price agreed for %s\nthe default is used", goods[0])
        return {name: round(len(name) * 1.1, 2) for name in goods}


@serve.deployment(ray_actor_options={"num_cpus": 0.1})
class Shop:
    """The way in of the text application."""

    def __init__(self, catalogue: DeploymentHandle, prices: DeploymentHandle) -> None:
        """Keep the handles."""
        self.catalogue = catalogue
        self.prices = prices

    async def __call__(self, request: Request) -> dict[str, float]:
        """Answer a query."""
        word = request.query_params.get("q", "tea")
        if word == "hang":
            await asyncio.sleep(8)
        sys.stdout.write(f"query {word}\n")
        return await self.prices.price.remote(await self.catalogue.find.remote(word))


@serve.deployment(num_replicas=2, ray_actor_options={"num_cpus": 0.1})
class Search:
    """The JSON application."""

    async def __call__(self, request: Request) -> str:
        """Answer a query, or fail."""
        word = request.query_params.get("q", "tea")
        log.info("Searching for %s", word, extra={"user": "amélie", "tenant": "north", "request_ms": 1.5})
        try:
            await asyncio.wait_for(asyncio.sleep(3 if word == "hang" else 0.01), timeout=0.3)
        except asyncio.TimeoutError:
            log.exception("Search for %s failed: timeout after 300 ms", word, extra={"tenant": "north"})
            raise
        return word


def ask(path: str, word: str, timeout_s: float = 1.0) -> None:
    """Send one request and log what came of it."""
    line = http.client.HTTPConnection("127.0.0.1", 8000, timeout=timeout_s)
    try:
        line.request("GET", f"{path}?q={urllib.parse.quote(word)}")
        status = line.getresponse().status
        level = logging.INFO if status == http.client.OK else logging.WARNING
        client.log(level, "GET %s?q=%s: %d", path, word, status)
    except TimeoutError:
        client.exception("GET %s?q=%s: timeout after %.0f s", path, word, timeout_s)
    finally:
        line.close()


def main() -> None:
    """Deploy, ask, take down."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    ray.init(address="auto", namespace="shop")
    serve.start(http_options={"host": "127.0.0.1", "port": 8000, "request_timeout_s": 5})
    serve.run(Shop.bind(Catalogue.bind(), Prices.bind()), name="shop", route_prefix="/shop")
    json_logging = LoggingConfig(encoding="JSON", log_level="INFO", additional_log_standard_attrs=["name"])
    serve.run(Search.bind(), name="search", route_prefix="/search", logging_config=json_logging)
    for turn in range(8):
        for word in WORDS:
            if word == "hang" and turn % 3:
                continue
            ask("/shop", word)
            ask("/search", word)
        ask("/nowhere", "tea")
        time.sleep(2)
    ask("/shop", "hang", timeout_s=10)
    serve.delete("search")
    serve.shutdown()


if __name__ == "__main__":
    main()
