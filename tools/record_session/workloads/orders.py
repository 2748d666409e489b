# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Take orders: Ray's JSON logging, sync, async and threaded actors, users' own keys, real timeouts."""

from __future__ import annotations

import asyncio
import logging
import socket
import sys
import time

import ray

log = logging.getLogger("shop.orders")
TENANTS = ("north", "south", "east")
USERS = ("amélie", "björn", "chiara", "дарья", "恵美")
BANK_TIMEOUT_S = 0.2
WAREHOUSE_TIMEOUT_S = 0.15


def request_keys(order: int, started: float) -> dict[str, object]:
    """Return what the application adds to a log record, with names that other programs use as well."""
    return {
        "order": order,
        "user": USERS[order % len(USERS)],
        "tenant": TENANTS[order % len(TENANTS)],
        "request_ms": round((time.monotonic() - started) * 1000, 3),
    }


@ray.remote(num_cpus=0.5)
class Inventory:
    """Hold the stock; a plain actor with a registered name."""

    def __init__(self, stock: int) -> None:
        """Start with a stock."""
        self.stock = stock
        log.info("Inventory opened", extra={"stock": stock})

    def reserve(self, order: int, quantity: int) -> int:
        """Take goods out of the stock."""
        started = time.monotonic()
        if quantity > self.stock:
            log.error("Order %d refused: %d wanted, %d left", order, quantity, self.stock)
            message = f"order {order}: out of stock"
            raise LookupError(message)
        self.stock -= quantity
        log.info("Reserved %d pieces, %d left", quantity, self.stock, extra=request_keys(order, started))
        if order % 10 == 0:
            sys.stdout.write(f"stock report: {self.stock} pieces\n")
        return self.stock


@ray.remote(num_cpus=0.5)
class PaymentGateway:
    """Charge cards; an async actor, some calls of which wait too long."""

    async def bank(self, order: int) -> str:
        """Answer like a bank: mostly at once, sometimes late."""
        await asyncio.sleep(5 if (order + 5) % 9 == 0 else 0.02 * (order % 4))
        return f"receipt-{order:05d}"

    async def charge(self, order: int) -> str | None:
        """Charge one order, or log why not."""
        started = time.monotonic()
        try:
            receipt = await asyncio.wait_for(self.bank(order), timeout=BANK_TIMEOUT_S)
        except asyncio.TimeoutError:
            log.exception(
                "Payment of order %d failed: timeout after %d ms while waiting for the bank",
                order,
                BANK_TIMEOUT_S * 1000,
                extra=request_keys(order, started),
            )
            return None
        log.info("Charged order %d", order, extra={**request_keys(order, started), "level": "gold"})
        return receipt


@ray.remote(max_concurrency=4, num_cpus=0.5)
class Courier:
    """Deliver parcels; a threaded actor without a registered name."""

    def deliver(self, order: int) -> int:
        """Carry one parcel."""
        log.info("Parcel %d leaves the depot", order, extra={"vehicle": {"kind": "bike", "load_kg": order % 7 + 0.5}})
        time.sleep(0.05)
        if (order + 1) % 11 == 0:
            log.warning("Parcel %d: nobody at home", order, extra={"severity": "low", "actor_id": "customer-17"})
        return order


@ray.remote
def ask_warehouse(order: int) -> bytes | None:
    """Ask a warehouse that accepts the connection and never answers."""
    started = time.monotonic()
    answer = None
    with socket.create_server(("127.0.0.1", 0)) as silent, socket.create_connection(silent.getsockname()) as line:
        line.settimeout(WAREHOUSE_TIMEOUT_S)
        try:
            answer = line.recv(1)
        except TimeoutError:
            log.exception("Read timeout from the warehouse", extra=request_keys(order, started))
    return answer


@ray.remote
def price_order(order: int) -> float:
    """Compute a price; every fifteenth order has no price list."""
    log.debug("Never written at level INFO")
    time.sleep(0.02 * (order % 5))
    if (order + 1) % 15 == 0:
        message = f"order {order}: no price list for tenant {TENANTS[order % len(TENANTS)]}"
        raise KeyError(message)
    log.info("Priced order %d\nnet 19.90\nVAT 3.78", order, extra={"task_name": "forged", "currency": "€"})
    return 19.9 * (order + 1)


def settle(order: int, call: ray.ObjectRef) -> None:
    """Wait for one call of an order."""
    try:
        ray.get(call)
    except ray.exceptions.RayTaskError:
        log.exception("Order %d failed", order, extra={"tenant": TENANTS[order % len(TENANTS)]})


def main() -> None:
    """Run the shop for a while."""
    ray.init(
        address="auto",
        namespace="shop",
        logging_config=ray.LoggingConfig(encoding="JSON", log_level="INFO", additional_log_standard_attrs=["name"]),
    )
    log.info("Shop opens", extra={"tenant": "all", "actor_id": "front-desk"})
    inventory = Inventory.options(name="inventory").remote(118)
    payments = PaymentGateway.options(name="payment-gateway", scheduling_strategy="SPREAD").remote()
    courier = Courier.options(scheduling_strategy="SPREAD").remote()
    for order in range(60):
        calls = [
            price_order.options(scheduling_strategy="SPREAD").remote(order),
            inventory.reserve.remote(order, order % 3 + 1),
            payments.charge.remote(order),
            courier.deliver.remote(order),
        ]
        if (order + 9) % 12 == 0:
            calls.append(ask_warehouse.options(name="ask-warehouse").remote(order))
        for call in calls:
            settle(order, call)
    log.info("Shop closes")
    time.sleep(1)


if __name__ == "__main__":
    main()
