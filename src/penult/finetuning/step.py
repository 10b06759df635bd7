"""One step of the optimiser, in as many parts as memory asks for."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from penult.engines.torch_device import memory_errors
from penult.errors import EngineError
from penult.finetuning.schedule import rate_factor
from penult.interface import option
from penult.wording import count

if TYPE_CHECKING:
    from penult.finetuning.losses import Loss
    from penult.finetuning.processes import Processes
    from penult.recipe import Precision

__all__ = ["NotFiniteError", "Step", "arithmetic"]

_MOST_NORM = 1.0  # of a gradient


class NotFiniteError(Exception):
    """The loss, or its gradient, is no number any more."""


@dataclass(kw_only=True, eq=False)
class Step:
    """The optimiser of a training, and what it is given.

    Attributes
    ----------
    model : torch.nn.Module
        What turns a batch into logits.
    groups : sequence of dict
        Groups of parameters for AdamW, each with its highest learning rate as ``lr``.
    loss : Loss
    steps : int
        How many there are in all.
    batch_size : int
        Images of a step, of all processes together. Where they do not fit into memory, parts of
        them are run one after the other, and their gradients added up.
    processes : Processes
        Each computes the gradients of its part of a batch. They are added up here, and not by
        torch's ``DistributedDataParallel``: that has no answer where a process has no image of a
        batch, runs its part again for lack of memory, or fails.
    precision : {"float32", "bfloat16"}
        Of the forward pass.
    """

    model: nn.Module
    groups: Sequence[Mapping[str, Any]]
    loss: Loss
    steps: int
    batch_size: int
    processes: Processes
    precision: Precision

    def __post_init__(self) -> None:
        self._optimizer = torch.optim.AdamW([dict(group) for group in self.groups])
        self._learning = [one for group in self.groups for one in group["params"]]
        self._rates = [group["lr"] for group in self.groups]
        self._loss = self.loss.to(self.processes.device)
        self._part = self.batch_size  # images at once

    def __call__(
        self, inputs: torch.Tensor, truth: torch.Tensor, step: int
    ) -> tuple[float, float, int]:
        """Learn from one batch.

        Parameters
        ----------
        inputs : tensor, shape (n, ...)
            This process's part of the batch, which may be empty.
        truth : int64 tensor, shape (n,), or float tensor, shape (n, K)
            On the process's device.
        step : int
            From 0.

        Returns
        -------
        loss : float
            Cross-entropy, summed over the images of the whole batch; without the smoothing and the
            weights of what is learned by.
        divisor : float
            What makes a mean of it; 0 where there was no image, and nothing was learnt.
        images : int
            How many there were.

        Raises
        ------
        NotFiniteError
        EngineError
            If not even one image at a time fits into memory.
        """
        factor = rate_factor(step, self.steps)
        for group, rate in zip(self._optimizer.param_groups, self._rates, strict=True):
            group["lr"] = rate * factor
        plain_divisor = self._loss.plain.divisor(truth)
        parts = self.processes.gather((self._loss.divisor(truth), plain_divisor, len(truth)))
        divisor, plain_divisor, images = map(sum, zip(*parts, strict=True))
        if not images:
            return 0.0, 0.0, 0
        value, plain = self._gradients(inputs, truth, divisor)
        norm = nn.utils.clip_grad_norm_(self._learning, _MOST_NORM)
        if not (math.isfinite(value) and math.isfinite(float(norm))):
            raise NotFiniteError(
                f"stopped at step {step + 1:,} of {self.steps:,}: the loss is no finite number "
                f"at a learning rate of {self._optimizer.param_groups[-1]['lr']:.3g}"
            )
        self._optimizer.step()
        return plain, plain_divisor, images

    def rate_after(self, steps: int) -> float:
        """The head's learning rate at the last of as many steps."""
        return float(self._rates[-1] * rate_factor(steps - 1, self.steps))

    def state(self) -> dict[str, Any]:
        """Write what it needs to go on, as tensors and plain values."""
        return {"optimizer": self._optimizer.state_dict(), "part": self._part}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take up what `state` wrote."""
        self._optimizer.load_state_dict(state["optimizer"])
        self._part = min(self._part, state["part"])

    def _gradients(
        self, inputs: torch.Tensor, truth: torch.Tensor, divisor: float
    ) -> tuple[float, float]:
        """Compute them, in parts that memory has room for.

        Give the mean loss of the whole batch, and the sum of its cross-entropy.
        """
        before = torch.get_rng_state()
        while True:
            self._optimizer.zero_grad(set_to_none=True)
            torch.set_rng_state(before)
            value = plain = 0.0
            too_many = 0
            try:
                with memory_errors():
                    for at in range(0, len(inputs), self._part):
                        part = slice(at, at + self._part)
                        with arithmetic(self.processes.device, self.precision):
                            logits = self.model(inputs[part].to(self.processes.device))
                        loss = self._loss.total(logits, truth[part]) / divisor
                        loss.backward()  # type: ignore[no-untyped-call]
                        value += loss.item()
                        with torch.no_grad():
                            plain += self._loss.plain.total(logits, truth[part]).item()
            except torch.OutOfMemoryError:
                too_many = min(self._part, len(inputs))
            # One that has no image has no gradients, and the others need not have all.
            having = [place for place, one in enumerate(self._learning) if one.grad is not None]
            found = self.processes.gather((value, plain, too_many, having))
            if too_many := max(one for *_, one, _ in found):
                self._halve(too_many)
                continue
            self._add_up(sorted({place for *_, places in found for place in places}))
            return sum(one for one, *_ in found), sum(one for _, one, *_ in found)

    def _add_up(self, places: Sequence[int]) -> None:
        """Add up the gradients that any process has."""
        gradients = []
        for place in places:
            parameter = self._learning[place]
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
            gradients.append(parameter.grad)
        self.processes.add_up(gradients)

    def _halve(self, size: int) -> None:
        if size == 1:
            raise EngineError(
                "not even one image at a time fits into memory to train with; unfreeze fewer "
                f"blocks ({option('unfreeze')}), or give {option('device', 'cpu')}"
            )
        self._part = (size + 1) // 2
        logging.getLogger("penult").warning(
            "penult: %s do not fit into memory; going on with %d at a time, and the same batches "
            "of %d",
            count(size, "image"),
            self._part,
            self.batch_size,
        )


def arithmetic(device: torch.device, precision: Precision) -> torch.autocast:
    """What the forward pass computes in; of this process, and not of accelerate's state."""
    return torch.autocast(device.type, torch.bfloat16, enabled=precision == "bfloat16")
