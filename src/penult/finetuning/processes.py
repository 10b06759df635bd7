"""The processes that train one network together, one a device, as a launcher started them."""

from __future__ import annotations

import atexit
import logging
import pickle
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from threading import Thread
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import torch
from torch import distributed

from penult.errors import EngineError
from penult.finetuning.launched import launched_number

if TYPE_CHECKING:
    from accelerate import Accelerator
    from numpy.typing import NDArray

__all__ = ["Processes"]

_Given = TypeVar("_Given")

_LONGEST = timedelta(days=365)  # that the others wait while the first one makes rows, or writes
_PATIENCE = 30.0  # seconds that a process which fails waits for the others to hear of it


@dataclass(frozen=True)
class _Failure:
    """What ended a process, as the others are told."""

    error: BaseException


class Processes:
    """One process, or several that run the same program and meet at the same places.

    All take the same way through a training; the first one alone lists photos, logs, tells progress
    and writes. Whatever one tells the others goes through `gather` or `share`, so that an error of
    one reaches all of them there. They have a group of their own for that, over the CPU (gloo),
    whose members may wait for days and take no GPU's time. Only gradients go from GPU to GPU, each
    time right after such a meeting, so that none waits there for a process that has ended.

    Parameters
    ----------
    accelerator : Accelerator

    Attributes
    ----------
    device : torch.device
        Of this process.
    count : int
    number : int
        Of this process, from 0.
    """

    def __init__(self, accelerator: Accelerator) -> None:
        self.accelerator = accelerator
        self.device: torch.device = accelerator.device
        self.count: int = accelerator.num_processes
        self.number: int = accelerator.process_index
        self._group = _meeting_group() if self.count > 1 else None

    @property
    def is_first(self) -> bool:
        """Whether this is the process that reads, tells and writes."""
        return self.number == 0

    @property
    def neighbours(self) -> int:
        """How many share this machine's cores and memory, this one among them."""
        return launched_number("LOCAL_WORLD_SIZE", self.count) if self.count > 1 else 1

    @contextmanager
    def together(self) -> Iterator[None]:
        """Have an error of one process end the block in all, and the first process alone log."""
        log = logging.getLogger("penult")
        if not self.is_first:
            log.addFilter(_nothing)
        try:
            yield
        except BaseException as error:
            self._tell_others(error)
            raise
        finally:
            log.removeFilter(_nothing)

    def gather(self, mine: _Given) -> list[_Given]:
        """Tell the others something small, and hear the same of all, in their order.

        Raises
        ------
        BaseException
            What another process has failed by.
        EngineError
            If another one has ended without a word.
        """
        if self._group is None:
            return [mine]
        return self._gather(self._group, mine)

    def share(self, make: Callable[[], _Given]) -> _Given:
        """Have the first process make something, and all of them have it.

        Raises
        ------
        BaseException
            As `gather`.
        """
        if self._group is None:
            return make()
        if not self.is_first:
            (size, *_) = self.gather(0)
            return pickle.loads(self._broadcast(torch.empty(size, dtype=torch.uint8)))  # type: ignore[no-any-return]
        made = make()
        data = bytearray(pickle.dumps(made))  # what cannot be told is found out before all meet
        self.gather(len(data))
        self._broadcast(torch.frombuffer(data, dtype=torch.uint8))
        return made

    def in_turn(self, make: Callable[[], _Given]) -> _Given:
        """Have the first process make something, and then the others, each its own."""
        made = [make()] if self.is_first else []
        self.gather(None)
        return made[0] if made else make()

    def part(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """What this process takes of rows; the parts of all, in their order, are the rows."""
        return np.array_split(rows, self.count)[self.number]

    def add_up(self, tensors: Sequence[torch.Tensor]) -> None:
        """Put the sum over all processes into each tensor; to be called right after `gather`."""
        if self._group is None or not tensors:
            return
        flat = torch.cat([one.reshape(-1) for one in tensors])
        flat = self.accelerator.reduce(flat, "sum")
        for one, total in zip(tensors, flat.split([one.numel() for one in tensors]), strict=True):
            one.copy_(total.view_as(one))

    def _gather(self, group: Any, mine: Any) -> list[Any]:
        found: list[Any] = [None] * self.count
        with self._hearing():
            distributed.all_gather_object(found, mine, group=group)
        for one in found:
            if isinstance(one, _Failure):
                self._group = None
                raise one.error
        return found

    def _broadcast(self, data: torch.Tensor) -> bytes:
        with self._hearing():
            distributed.broadcast(data, src=0, group=self._group)
        return data.numpy().tobytes()

    @contextmanager
    def _hearing(self) -> Iterator[None]:
        try:
            yield
        except RuntimeError as error:  # a connection was closed
            self._group = None
            raise EngineError(
                f"one of the {self.count} processes has ended, so that the others cannot go on; "
                f"the launcher says how it ended"
            ) from error

    def _tell_others(self, error: BaseException) -> None:
        """Take part in their next meeting, by telling of a failure; unless they know already."""
        if self._group is None:
            return
        group, self._group = self._group, None

        def tell() -> None:
            try:
                self._gather(group, _Failure(_portable(error)))
            except BaseException:  # ours again, or one of theirs: each ends by its own
                return

        # They may be where no word reaches them; the launcher ends them when this process ends.
        thread = Thread(target=tell, daemon=True)
        thread.start()
        thread.join(_PATIENCE)


@cache  # as long as the process: another training in it meets in the same group
def _meeting_group() -> Any:
    # Threads of groups that are still there abort a process that ends.
    atexit.register(_leave_groups)
    return distributed.new_group(backend="gloo", timeout=_LONGEST)


def _leave_groups() -> None:
    if distributed.is_initialized():  # and nobody else has left them
        distributed.destroy_process_group()


def _nothing(_record: logging.LogRecord) -> bool:
    return False


def _portable(error: BaseException) -> BaseException:
    """Make it one that another process can raise."""
    if not isinstance(error, Exception):  # a signal
        return KeyboardInterrupt()
    try:
        copied = pickle.loads(pickle.dumps(error))
    except Exception:
        copied = None
    if type(copied) is type(error):
        return error
    return RuntimeError("".join(traceback.format_exception(error)))
