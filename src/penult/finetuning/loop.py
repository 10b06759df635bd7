"""The training loop: epochs, validation, the best epoch; what it needs to go on after a kill."""

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

from penult.engines.torch_device import memory_errors
from penult.errors import EngineError
from penult.finetuning.calibration import fit_temperature, mean_loss
from penult.finetuning.feeds import in_batches
from penult.finetuning.schedule import rate_factor
from penult.interface import option
from penult.records import FinetuneEpoch, Progress
from penult.wording import count, percent

if TYPE_CHECKING:
    from accelerate import Accelerator
    from numpy.typing import NDArray

    from penult.finetuning.feeds import Feed
    from penult.finetuning.losses import Loss
    from penult.finetuning.network import HeadedNetwork
    from penult.progress import Tell
    from penult.recipe import Precision

__all__ = ["Training", "TrainingResult", "is_right"]

_MOST_NORM = 1.0  # of a gradient
_SAVED_EVERY = 120.0  # seconds, within an epoch


class _NotFinite(Exception):  # noqa: N818 - not an error: the training ends
    """The loss, or its gradient, is no number any more."""


@dataclass(frozen=True, kw_only=True, eq=False)
class TrainingResult:
    """What a training came to.

    Attributes
    ----------
    learned : dict of str to tensor
        Of the best epoch; see `HeadedNetwork.learned`.
    start : dict of str to tensor
        What the training started from.
    best : int
        That epoch; 0 for the start.
    epochs : tuple of FinetuneEpoch
        All of them, epoch 0 first.
    stopped : str
        Why it ended before the last epoch, in words; empty where it did not.
    """

    learned: dict[str, torch.Tensor]
    start: dict[str, torch.Tensor]
    best: int
    epochs: tuple[FinetuneEpoch, ...]
    stopped: str = ""


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
        Groups of parameters for AdamW, each with its highest learning rate as ``lr``.
    loss : Loss
    epochs, patience, batch_size, seed : int
        The batch is the effective one: where it does not fit into memory, its parts are run one
        after the other, and their gradients added up.
    accelerator : Accelerator
    precision : {"float32", "bfloat16"}
        Of the forward pass.
    stage : str
        What progress calls it.
    changed : bool
        Whether the training photos are changed at random, in each epoch anew.
    keep : callable or None
        Called with what is needed to go on, tensors and plain values, after each epoch and every
        two minutes.
    earlier : dict or None
        What an interrupted run kept.
    tell : callable
    on_epoch : callable or None
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
    accelerator: Accelerator
    precision: Precision
    stage: str
    tell: Tell
    changed: bool = False
    keep: Callable[[dict[str, Any]], None] | None = None
    earlier: dict[str, Any] | None = None
    on_epoch: Callable[[Sequence[FinetuneEpoch]], None] | None = None

    def __post_init__(self) -> None:
        self._done: list[FinetuneEpoch] = []
        self._best = 0
        self._learned: dict[str, torch.Tensor] = {}
        self._start: dict[str, torch.Tensor] = {}
        # Of an epoch that is under way: batches done, their loss, its divisor, and seconds.
        self._within: tuple[int, float, float, float] | None = None
        self._batches = max(1, math.ceil(len(self.train) / self.batch_size))
        self._steps = self._batches * self.epochs
        self._part = self.batch_size  # images at once
        self._saved = time.monotonic()

    def run(self) -> TrainingResult:
        """Train, from the start or from where an interrupted run was.

        The random numbers of the process are as before afterwards.

        Raises
        ------
        EngineError
            If not even one image at a time fits into memory.
        """
        devices = [self.accelerator.device] if self.accelerator.device.type == "cuda" else []
        with torch.random.fork_rng(devices=devices):
            return self._run()

    def logits(self, rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Run the network in eval mode.

        Parameters
        ----------
        rows : int64 array
            Row numbers.

        Returns
        -------
        rows : int64 array, shape (n,)
            Those that could be read.
        logits : float32 array, shape (n, K)
        """
        self.network.eval()
        found, kept = [], []
        with torch.inference_mode(), self._arithmetic():
            for numbers, inputs in self.feed.batches(in_batches(rows, self.batch_size)):
                if len(numbers):
                    logits = self.model(inputs.to(self.accelerator.device))
                    found.append(logits.float().cpu().numpy())
                    kept.append(numbers)
        if not found:
            raise EngineError("none of the images can be read any more")
        return np.concatenate(kept), np.concatenate(found)

    def _run(self) -> TrainingResult:
        self.network.to(self.accelerator.device)
        self.model.to(self.accelerator.device)
        self._optimizer = self.accelerator.prepare(
            torch.optim.AdamW([dict(group) for group in self.groups])
        )
        self._rates = [group["lr"] for group in self.groups]
        self._loss = self.loss.to(self.accelerator.device)
        if self.earlier is not None:
            self._restore(self.earlier)
        stopped = ""
        if not self._done:
            began = time.perf_counter()
            self._note(self._validated(0, None, None, began, None))
        while not stopped and len(self._done) <= self.epochs:
            epoch = len(self._done)
            if epoch - self._best > self.patience:
                stopped = (
                    f"stopped after epoch {epoch - 1} of {self.epochs}: no better on the "
                    f"validation images since epoch {self._best}"
                )
                break
            try:
                self._epoch(epoch)
            except _NotFinite as error:
                stopped = str(error)
                logging.getLogger("penult").warning("penult: %s", stopped)
        self.network.load_learned(self._learned)
        return TrainingResult(
            learned=self._learned,
            start=self._start,
            best=self._best,
            epochs=tuple(self._done),
            stopped=stopped,
        )

    def _epoch(self, epoch: int) -> None:
        order = np.random.default_rng([self.seed, epoch]).permutation(self.train)
        batches = np.array_split(order, self._batches)
        began = time.perf_counter()
        if self._within is None:
            torch.manual_seed(self.seed * 1_000_003 + epoch)
            first, total, weight, before = 0, 0.0, 0.0, 0.0
        else:
            first, total, weight, before = self._within
            self._within = None
        began -= before
        self.network.train()
        done = sum(map(len, batches[:first]))
        trained = 0
        self._tell(epoch, done)
        view = epoch - 1 if self.changed else None
        started = time.perf_counter()
        for place, (rows, inputs) in enumerate(self.feed.batches(batches[first:], view=view)):
            step = (epoch - 1) * self._batches + first + place
            self._set_rates(step)
            if len(rows):
                value, divisor = self._step(rows, inputs, step)
                total, weight = total + value, weight + divisor
            done, trained = done + len(batches[first + place]), trained + len(rows)
            self._tell(epoch, done)
            if time.monotonic() - self._saved > _SAVED_EVERY:
                within = (first + place + 1, total, weight, time.perf_counter() - began)
                self._save(within=within)
        speed = trained / max(time.perf_counter() - started, 1e-9)
        mean = total / weight if weight else math.nan
        if not math.isfinite(mean):
            raise _NotFinite(f"no image of epoch {epoch} could be read")
        rate = self._rates[-1] * rate_factor(epoch * self._batches - 1, self._steps)
        self._note(self._validated(epoch, mean, rate, began, speed))

    def _step(
        self, rows: NDArray[np.int64], inputs: torch.Tensor, step: int
    ) -> tuple[float, float]:
        """Learn from one batch, in as many parts as memory asks for; give its loss and divisor."""
        truth = self._truth(rows)
        divisor = self._loss.divisor(truth)
        device = self.accelerator.device
        before = torch.get_rng_state()
        while True:
            self._optimizer.zero_grad(set_to_none=True)
            torch.set_rng_state(before)
            try:
                value = 0.0
                with memory_errors():
                    for at in range(0, len(rows), self._part):
                        part = slice(at, at + self._part)
                        with self._arithmetic():
                            logits = self.model(inputs[part].to(device))
                        loss = self._loss.total(logits, truth[part]) / divisor
                        self.accelerator.backward(loss)
                        value += loss.item()
                break
            except torch.OutOfMemoryError as error:
                self._halve(min(self._part, len(rows)), error)
        norm = self.accelerator.clip_grad_norm_(
            [one for group in self.groups for one in group["params"]], _MOST_NORM
        )
        if not (math.isfinite(value) and math.isfinite(float(norm))):
            raise _NotFinite(
                f"stopped at step {step + 1:,} of {self._steps:,}: the loss is no finite number "
                f"at a learning rate of {self._optimizer.param_groups[-1]['lr']:.3g}; the best "
                f"epoch before, {self._best}, is kept; give a smaller {option('lr')}"
            )
        self._optimizer.step()
        return value * divisor, divisor

    def _halve(self, size: int, error: Exception) -> None:
        if size == 1:
            raise EngineError(
                "not even one image at a time fits into memory to train with; unfreeze fewer "
                f"blocks ({option('unfreeze')}), or give {option('device', 'cpu')}"
            ) from error
        self._part = (size + 1) // 2
        logging.getLogger("penult").warning(
            "penult: %s do not fit into memory; going on with %d at a time, and the same batches "
            "of %d",
            count(size, "image"),
            self._part,
            self.batch_size,
        )

    def _arithmetic(self) -> torch.autocast:
        """What the forward pass computes in; of this process, and not of accelerate's state."""
        half = self.precision == "bfloat16"
        return torch.autocast(self.accelerator.device.type, torch.bfloat16, enabled=half)

    def _truth(self, rows: NDArray[np.int64]) -> torch.Tensor:
        truth = torch.from_numpy(np.ascontiguousarray(self.truth[rows]))
        return (truth.float() if truth.ndim == 2 else truth).to(self.accelerator.device)

    def _set_rates(self, step: int) -> None:
        factor = rate_factor(step, self._steps)
        for group, rate in zip(self._optimizer.param_groups, self._rates, strict=True):
            group["lr"] = rate * factor

    def _validated(
        self,
        epoch: int,
        train_loss: float | None,
        lr: float | None,
        began: float,
        speed: float | None,
    ) -> FinetuneEpoch:
        rows, logits = self.logits(self.validation)
        truth = self.truth[rows]
        return FinetuneEpoch(
            epoch=epoch,
            train_loss=train_loss,
            validation_loss=mean_loss(logits, truth, temperature=fit_temperature(logits, truth)),
            validation_accuracy=float(is_right(logits, truth).mean()),
            lr=lr,
            seconds=time.perf_counter() - began,
            images_per_second=speed,
        )

    def _note(self, now: FinetuneEpoch) -> None:
        """Take an epoch down, keep its weights if it is the best so far, and save it all."""
        self._done.append(now)
        if now.epoch == 0 or now.validation_loss < self._done[self._best].validation_loss:
            self._best, self._learned = now.epoch, self.network.learned()
            if now.epoch == 0:
                self._start = self._learned
        self._save()
        if self.on_epoch is not None:
            self.on_epoch(self._done)

    def _tell(self, epoch: int, done: int) -> None:
        last = self._done[-1]
        stage = (
            f"{self.stage}, epoch {epoch} of {self.epochs} (before: validation "
            f"{percent(last.validation_accuracy)}, loss {last.validation_loss:.3f})"
        )
        self.tell(Progress(done, len(self.train), 0, stage=stage))

    def _save(self, within: tuple[int, float, float, float] | None = None) -> None:
        self._saved = time.monotonic()
        if self.keep is None:
            return
        cuda = self.accelerator.device.type == "cuda"
        self.keep(
            {
                "network": self.network.learned(),
                "optimizer": self._optimizer.state_dict(),
                "epochs": [one.to_dict() for one in self._done],
                "best": self._best,
                "learned": self._learned,
                "start": self._start,
                "within": None if within is None else list(within),
                "part": self._part,
                "random": torch.get_rng_state(),
                "random_cuda": torch.cuda.get_rng_state() if cuda else None,
            },
        )

    def _restore(self, earlier: dict[str, Any]) -> None:
        """Take up what an interrupted run kept."""
        self.network.load_learned(earlier["network"])
        self._optimizer.load_state_dict(earlier["optimizer"])
        self._done = [FinetuneEpoch(**one) for one in earlier["epochs"]]
        self._best, self._learned = earlier["best"], earlier["learned"]
        self._start = earlier["start"]
        within = earlier["within"]
        self._within = None if within is None else tuple(within)
        self._part = min(self._part, earlier["part"])
        torch.set_rng_state(earlier["random"])
        if earlier["random_cuda"] is not None and self.accelerator.device.type == "cuda":
            torch.cuda.set_rng_state(earlier["random_cuda"])


def is_right(logits: NDArray[Any], truth: NDArray[Any]) -> NDArray[np.bool_]:
    """Which images are right: in their class; of several labels, in all of them, each cut at 1/2.

    Parameters
    ----------
    logits : array, shape (n, K)
    truth : int64 array, shape (n,), or bool array, shape (n, K)
    """
    if truth.ndim == 2:
        return np.asarray(((logits > 0) == truth).all(axis=1))
    return np.asarray(logits.argmax(axis=1) == truth)
