"""What routes are given: the options, what is served at present, and the queue of the network."""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING

from penult.serving.metrics import ServiceMetrics

if TYPE_CHECKING:
    from penult.serving.engine_queue import EngineQueue
    from penult.serving.labels.log import LabelLog
    from penult.serving.models.served import Served
    from penult.serving.models.sources import Sources
    from penult.serving.options import ServiceOptions

__all__ = ["Service"]


@dataclass(kw_only=True)
class Service:
    """A service that runs.

    A request reads `served` once, at its start, and keeps what it got: it is switched as a whole.

    Attributes
    ----------
    options : ServiceOptions
    sources : Sources
        What it is opened from, again and again.
    served : Served
        What is served at present.
    queue : EngineQueue
        Turns photos into rows.
    label_log : LabelLog or None
        Where labels are corrected; None without a gallery.
    metrics : ServiceMetrics
        What is counted.
    is_ready : bool
        Whether requests are answered: from when all is opened until it stops.
    in_progress : int
        Requests that have begun and are not answered.
    reloading : Lock
        Held while it is opened anew.
    """

    options: ServiceOptions
    sources: Sources
    served: Served
    queue: EngineQueue
    label_log: LabelLog | None = None
    metrics: ServiceMetrics = field(default_factory=ServiceMetrics)
    is_ready: bool = True
    in_progress: int = 0
    reloading: Lock = field(default_factory=Lock, repr=False)

    def __post_init__(self) -> None:
        self.queue.on_batch = self.metrics.batch
        self.metrics.watch_queue(lambda: len(self.queue))
