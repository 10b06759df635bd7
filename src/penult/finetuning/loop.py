"""The training loop: epochs, validation, and what it needs to go on after a kill."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from penult.finetuning.evaluation import Evaluation
from penult.finetuning.history import History
from penult.finetuning.step import NotFiniteError, Step
from penult.interface import option
from penult.records import FinetuneEpoch, Progress
from penult.wording import percent

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.finetuning.feeds import Feed
    from penult.finetuning.losses import Loss
    from penult.finetuning.network import HeadedNetwork
    from penult.finetuning.processes import Processes
    from penult.progress import Tell
    from penult.recipe import Precision

__all__ = ["Training"]

_SAVED_EVERY = 120.0  # seconds, within an epoch


@dataclass(kw_only=True, eq=False)
class Training:
    """One training of what is unfrozen.

    Attributes
    ----------
    network : HeadedNetwork
        What is trained.
    model : torch.nn.Module
        What turns the feed's batches into logits: the network, or the last part of it.
    feed : Feed
    train, validation : int64 array
        Row numbers.
    truth : int64 array, shape (N,), or bool array, shape (N, K)
        By row number.
    groups : sequence of dict
        As for `Step`.
    loss : Loss
    epochs, patience, batch_size, seed : int
    processes : Processes
        All of which train, each on its part of every batch.
    precision : {"float32", "bfloat16"}
        Of the forward pass.
    stage : str
        What progress calls it, and each epoch says of itself.
    changed : bool
        Whether the training photos are changed at random, in each epoch anew.
    keep : callable
        Called by the first process with what is needed to go on, tensors and plain values, after
        each epoch and every two minutes.
    earlier : dict or None
        What an interrupted run kept.
    tell : callable
    on_epoch : callable
        Called with all epochs so far, after each.
    """

    network: HeadedNetwork
    model: nn.Module
    feed: Feed
    train: NDArray[np.int64]
    validation: NDArray[np.int64]
    truth: NDArray[Any]
    groups: Sequence[dict[str, Any]]
    loss: Loss
    epochs: int
    patience: int
    batch_size: int
    seed: int
    processes: Processes
    precision: Precision
    stage: str
    tell: Tell
    changed: bool
    keep: Callable[[dict[str, Any]], None]
    earlier: dict[str, Any] | None
    on_epoch: Callable[[Sequence[FinetuneEpoch]], None]

    def __post_init__(self) -> None:
        self.evaluation = Evaluation(
            model=self.model,
            feed=self.feed,
            truth=self.truth,
            batch_size=self.batch_size,
            processes=self.processes,
            precision=self.precision,
        )
        self._history = History()
        # Of an epoch that is under way: batches done, their loss, its divisor, and seconds.
        self._within: tuple[int, float, float, float] | None = None
        self._batches = max(1, math.ceil(len(self.train) / self.batch_size))
        self._saved = time.monotonic()

    def run(self) -> History:
        """Train, from the start or from where an interrupted run was.

        The random numbers of the process are as before afterwards.

        Raises
        ------
        EngineError
            If not even one image at a time fits into memory.
        """
        devices = [self.processes.device] if self._is_cuda else []
        with torch.random.fork_rng(devices=devices):
            return self._run()

    @property
    def _is_cuda(self) -> bool:
        return str(self.processes.device.type) == "cuda"

    def _run(self) -> History:
        self.network.to(self.processes.device)
        self.model.to(self.processes.device)
        self._step = Step(
            model=self.model,
            groups=self.groups,
            loss=self.loss,
            steps=self._batches * self.epochs,
            batch_size=self.batch_size,
            processes=self.processes,
            precision=self.precision,
        )
        if self.earlier is not None:
            self._restore(self.earlier)
        if not self._history.epochs:
            self._note(0, time.perf_counter())
        stopped = ""
        while not stopped and (epoch := len(self._history.epochs)) <= self.epochs:
            best = self._history.best
            if epoch - best > self.patience:
                stopped = (
                    f"stopped after epoch {epoch - 1} of {self.epochs}: no better on the "
                    f"validation images since epoch {best}"
                )
                break
            try:
                stopped = self._epoch(epoch)
            except NotFiniteError as error:
                stopped = (
                    f"{error}; the best epoch before, {best}, is kept; give a smaller "
                    f"{option('lr')}"
                )
            if stopped:
                logging.getLogger("penult").warning("penult: %s", stopped)
        self._history.stopped = stopped
        self.network.load_learned(self._history.learned)
        return self._history

    def _epoch(self, epoch: int) -> str:
        """Train for one epoch; say why there can be no other, or nothing."""
        order = np.random.default_rng([self.seed, epoch]).permutation(self.train)
        batches = np.array_split(order, self._batches)
        began = time.perf_counter()
        if self._within is None or not self.processes.is_first:
            # What drops out is another choice in each process, whose images are others.
            number = self.processes.number
            torch.manual_seed(self.seed * 1_000_003 + epoch + 500_009 * number)
        first, total, weight, before = self._within or (0, 0.0, 0.0, 0.0)
        self._within = None
        began -= before
        self.network.train()
        done = sum(map(len, batches[:first]))
        trained = 0
        self._tell(epoch, done)
        view = epoch - 1 if self.changed else None
        started = time.perf_counter()
        fed = self.feed.batches(map(self.processes.part, batches[first:]), view=view)
        for place, (rows, inputs) in enumerate(fed, start=first):
            step = (epoch - 1) * self._batches + place
            value, divisor, images = self._step(inputs, self._truth(rows), step)
            total, weight = total + value, weight + divisor
            done, trained = done + len(batches[place]), trained + images
            self._tell(epoch, done)
            if time.monotonic() - self._saved > _SAVED_EVERY:
                self._save(within=(place + 1, total, weight, time.perf_counter() - began))
        speed = trained / max(time.perf_counter() - started, 1e-9)
        if not weight:
            return f"no image of epoch {epoch} could be read"
        rate = self._step.rate_after(epoch * self._batches)
        self._note(epoch, began, train_loss=total / weight, lr=rate, images_per_second=speed)
        return ""

    def _truth(self, rows: NDArray[np.int64]) -> torch.Tensor:
        truth = torch.from_numpy(np.ascontiguousarray(self.truth[rows]))
        return (truth.float() if truth.ndim == 2 else truth).to(self.processes.device)

    def _note(
        self,
        epoch: int,
        began: float,
        *,
        train_loss: float | None = None,
        lr: float | None = None,
        images_per_second: float | None = None,
    ) -> None:
        """Validate, take the epoch down, and save it all."""
        loss, accuracy = self.evaluation.score(self.validation)
        if epoch and not math.isfinite(loss):
            raise NotFiniteError(
                f"stopped after epoch {epoch} of {self.epochs}: the loss on the validation images "
                f"is no finite number at a learning rate of {lr or 0.0:.3g}"
            )
        now = FinetuneEpoch(
            stage=self.stage,
            epoch=epoch,
            train_loss=train_loss,
            validation_loss=loss,
            validation_accuracy=accuracy,
            lr=lr,
            seconds=time.perf_counter() - began,
            images_per_second=images_per_second,
        )
        best = self._history.is_best(now)
        self._history.add(now, self.network.learned() if best else None)
        self._save()
        self.on_epoch(self._history.epochs)

    def _tell(self, epoch: int, done: int) -> None:
        last = self._history.epochs[-1]
        before = f"after epoch {last.epoch}" if last.epoch else "at the start"
        stage = (
            f"{self.stage}, epoch {epoch} of {self.epochs} (validation {before}: "
            f"{percent(last.validation_accuracy)}, loss {last.validation_loss:.3f})"
        )
        self.tell(Progress(done, len(self.train), 0, stage=stage))

    def _save(self, within: tuple[int, float, float, float] | None = None) -> None:
        self._saved = time.monotonic()
        if not self.processes.is_first:
            return
        self.keep(
            {
                "network": self.network.learned(),
                **self._step.state(),
                **self._history.state(),
                "within": None if within is None else list(within),
                "random": torch.get_rng_state(),
                "random_cuda": torch.cuda.get_rng_state() if self._is_cuda else None,
            },
        )

    def _restore(self, earlier: dict[str, Any]) -> None:
        """Take up what an interrupted run kept."""
        self.network.load_learned(earlier["network"])
        self._step.restore(earlier)
        self._history = History.of_state(earlier)
        within = earlier["within"]
        self._within = None if within is None else tuple(within)
        torch.set_rng_state(earlier["random"])
        if earlier["random_cuda"] is not None and self._is_cuda:
            torch.cuda.set_rng_state(earlier["random_cuda"])  # pragma: no cover - needs a GPU
