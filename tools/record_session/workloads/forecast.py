# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Train a forecast with Ray Train, without any framework: one run works, one fails."""

from __future__ import annotations

import logging
import os
import sys
import typing as t

import ray
import ray.train
from ray.train.v2.api.data_parallel_trainer import DataParallelTrainer

log = logging.getLogger("shop.forecast")


def train_forecast(settings: dict[str, t.Any]) -> None:
    """Report a loss per epoch."""
    rank = ray.train.get_context().get_world_rank()
    for epoch in range(3):
        loss = 1.0 / (epoch + 1 + rank)
        log.warning("Epoch %d, rank %d: loss %.3f", epoch, rank, loss)
        sys.stdout.write(f"loss {loss:.3f}\n")
        ray.train.report({"loss": loss})
    if settings["fail"]:
        message = "gradient is not a number"
        raise FloatingPointError(message)


def main() -> None:
    """Train twice."""
    ray.init(address="auto", namespace="shop")
    for fail in (False, True):
        trainer = DataParallelTrainer(
            train_forecast,
            train_loop_config={"fail": fail},
            scaling_config=ray.train.ScalingConfig(num_workers=2),
            run_config=ray.train.RunConfig(name="bad" if fail else "good", storage_path=os.environ["STORAGE_PATH"]),
        )
        try:
            sys.stdout.write(f"{trainer.fit()}\n")
        except ray.train.TrainingFailedError as failure:
            sys.stdout.write(f"{type(failure).__name__}: {failure}\n")


if __name__ == "__main__":
    main()
