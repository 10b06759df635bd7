"""The executor on a cluster: Ray Data hands tasks to actors, and gives what they answer."""

from __future__ import annotations

import pickle
import queue
import secrets
import sys
import threading
import warnings
from collections.abc import Generator, Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np

from penult import __version__
from penult.distributed.head import Head
from penult.distributed.quiet import hushed
from penult.errors import ClusterError, PenultError
from penult.interface import option
from penult.messages import first_line
from penult.wording import count

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.distributed.connection import Connection
    from penult.distributed.known import KnownContent
    from penult.distributed.options import RayOptions
    from penult.distributed.result import Result
    from penult.distributed.tasks import Task
    from penult.distributed.worker import WorkerJob
    from penult.images.record_list import RecordList
    from penult.images.records_with_views import RecordsWithViews

__all__ = ["results"]

_TRIES_AFTER_DEATH = 6
"""How often a task begins anew whose worker has died. Without a bound, an image that kills its
decoder, or a network too large for the memory, would kill workers for ever."""

_TRIES = 120
"""How often Ray tries to give a task to a worker, a second each where its machine is gone: until
that is known of the machine, 15 seconds later where it refuses connections, and a minute where it
says nothing. It takes a try to be unanswered for a death of the worker, so deaths are counted
apart, in what Ray keeps for all machines (`_actor_class`)."""

_MOST_BLOCKS = 4096
_WAITING = 64  # results that were not asked for yet; then Ray Data waits, too
_SECONDS_APART = 0.5


def results(
    connection: Connection,
    options: RayOptions,
    job: WorkerJob,
    tasks: Sequence[Task],
    records: RecordList | RecordsWithViews,
    to_do: NDArray[np.int64],
    known: KnownContent,
) -> Generator[Result | None, None, None]:
    """Have workers do tasks; give their results in any order, and None now and then meanwhile.

    Parameters
    ----------
    connection : Connection
    options : RayOptions
    job : WorkerJob
    tasks : sequence of Task
    records, to_do, known
        As `PartWorker` takes them; each machine of the cluster gets them once, and its workers
        share them.

    Raises
    ------
    ClusterError
        If workers die again and again, or the head of the cluster is gone.
    """
    least, most = connection.workers
    least = min(least, len(tasks))
    most = max(least, min(len(tasks), len(tasks) if most is None else most))
    connection.say_where(least, most)
    head = Head(connection.address)
    begun: list[Any] = []
    pump = _Pump(_batches((least, most), options, job, tasks, (records, to_do, known), begun))
    try:
        for result in pump:
            if result is None:
                try:
                    head.look()
                except ClusterError:
                    connection.is_lost = True
                    raise
            yield result
    finally:
        if not pump.stop() and not connection.is_lost:
            _end(begun)


def _batches(
    workers: tuple[int, int],
    options: RayOptions,
    job: WorkerJob,
    tasks: Sequence[Task],
    listing: tuple[Any, ...],
    begun: list[Any],
) -> Generator[bytes, None, None]:
    with hushed(), warnings.catch_warnings():
        # It has no other way to say how often actors are begun anew, and warns of that one.
        warnings.simplefilter("ignore")
        dataset = _dataset(workers, options, job, tasks, listing)
    begun.append(dataset)
    for batch in dataset.iter_batches(batch_size=None, prefetch_batches=0, batch_format="numpy"):
        yield from batch["result"]


def _end(begun: Sequence[Any]) -> None:
    """Have Ray Data do no more for a run that has ended.

    Its thread would go on computing on a cluster that stays, and takes part in what this process
    does next with Ray, which Ray does not survive.
    """
    for dataset in begun:
        with suppress(Exception):  # not of Ray's public interface; then it ends with the next part
            dataset._current_executor.shutdown(force=True)


def _dataset(
    workers: tuple[int, int],
    options: RayOptions,
    job: WorkerJob,
    tasks: Sequence[Task],
    listing: tuple[Any, ...],
) -> Any:
    """The tasks, and what is to be done with them; nothing is run yet."""
    import ray
    import ray.data

    cloudpickle: Any = ray.cloudpickle
    shared, own = ray.put(listing), ray.put(cloudpickle.dumps(job))
    tries = (secrets.token_hex(8), _TRIES_AFTER_DEATH + 1)
    context = ray.data.DataContext.get_current().copy()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    context.enable_rich_progress_bars = False
    context.enable_auto_log_stats = False
    items = [{"number": t.number, "first": t.first, "count": t.count} for t in tasks]
    least, most = workers
    with ray.data.DataContext.current(context):
        # Not `ray.data.range`: its reading wants a core, which workers may have taken all of.
        return ray.data.from_items(
            items, override_num_blocks=min(len(items), _MOST_BLOCKS)
        ).map_batches(
            _actor_class(__version__),
            fn_constructor_args=(own, shared, [path for path in sys.path if path], tries),
            batch_size=1,
            batch_format="numpy",
            compute=ray.data.ActorPoolStrategy(
                min_size=least, max_size=most, max_tasks_in_flight_per_actor=2
            ),
            num_cpus=options.cpus,
            num_gpus=options.gpus or None,
            max_restarts=-1,
            max_task_retries=_TRIES,
        )


def _actor_class(version: str) -> type:
    """The class of the actors.

    It is pickled as it stands here, and so can say which penult a machine has even if that has no
    such module. It uses nothing of this module, which it would take along.
    """

    class PenultWorker:
        def __init__(self, job: Any, shared: Any, path: list[str], tries: tuple[str, int]) -> None:
            self._given, self._path, self._tries = (job, shared), path, tries
            self._worker: Any = None

        def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
            import pickle
            import socket

            import numpy as np

            node, answers = socket.gethostname(), []
            for task in zip(batch["number"], batch["first"], batch["count"], strict=True):
                try:
                    answers.append(pickle.dumps(self._done(*map(int, task))))
                except Exception as error:
                    told = str(error).splitlines()[0] if str(error) else type(error).__name__
                    answers.append(pickle.dumps((node, type(error).__name__, told)))
            made = np.empty(len(answers), dtype=object)
            made[:] = answers
            return {"result": made}

        def _done(self, number: int, first: int, count: int) -> Any:
            if self._worker is None:
                self._worker = self._opened()
            from penult.distributed.tasks import Task

            deaths = self._begun(number)
            if deaths >= self._tries[1]:
                raise ChildProcessError(deaths)
            result = self._worker(Task(number, first, count))
            self._begun(number, over=True)
            return result

        def _begun(self, number: int, *, over: bool = False) -> int:
            """How often a part was begun before and not done: its worker has died each time."""
            from contextlib import suppress

            begun = 0
            with suppress(Exception):  # not of Ray's public interface; then its own bound holds
                from ray.experimental import internal_kv

                key, space = f"{self._tries[0]}-{number}".encode(), b"penult"
                if over:
                    internal_kv._internal_kv_del(key, namespace=space)
                    return 0
                begun = int(internal_kv._internal_kv_get(key, namespace=space) or 0)
                internal_kv._internal_kv_put(key, str(begun + 1).encode(), namespace=space)
            return begun

        def _opened(self) -> Any:
            import os
            import sys

            # Behind what is installed there: where the driver found its modules, if that is shared.
            sys.path += [p for p in self._path if p not in sys.path and os.path.isdir(p)]  # noqa: PTH112
            try:
                import penult
            except ImportError as error:
                raise ImportError(f"penult is not installed there ({error})") from error
            if penult.__version__ != version:
                raise ImportError(f"it has penult {penult.__version__}, and this is {version}")
            import ray

            from penult.distributed.worker import PartWorker

            job, shared = self._given
            return PartWorker(ray.cloudpickle.loads(ray.get(job)), *ray.get(shared))

    return PenultWorker


class _Pump:
    """Takes results from Ray Data in a thread, so that whoever waits for them can be told to stop.

    Parameters
    ----------
    batches : generator of pickled results
    """

    def __init__(self, batches: Generator[bytes, None, None]) -> None:
        self._batches = batches
        self._queue: queue.Queue[Any] = queue.Queue(_WAITING)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="penult-ray", daemon=True)
        self._thread.start()

    def __iter__(self) -> Iterator[Result | None]:
        while True:
            try:
                got = self._queue.get(timeout=_SECONDS_APART)
            except queue.Empty:
                yield None
                continue
            if got is None:
                return
            if isinstance(got, BaseException):
                raise _explained(got) from got
            yield _result(got)

    def stop(self) -> bool:
        """Take no more of them; return whether the thread that does has ended."""
        self._stopped.set()
        self._thread.join(timeout=_SECONDS_APART)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            for one in self._batches:
                self._put(one)
                if self._stopped.is_set():
                    break
            else:
                self._put(None)
        except BaseException as error:  # for who waits
            self._put(error)
        finally:
            with suppress(Exception):
                self._batches.close()

    def _put(self, one: Any) -> None:
        while not self._stopped.is_set():
            with suppress(queue.Full):
                self._queue.put(one, timeout=_SECONDS_APART)
                return


def _result(answer: bytes) -> Result:
    try:
        got = pickle.loads(answer)
    except Exception as error:
        raise ClusterError(f"a worker's answer cannot be read: {first_line(error)}") from error
    if isinstance(got, tuple):
        node, kind, told = got
        if kind in ("ImportError", "ModuleNotFoundError", "AttributeError"):
            raise ClusterError(
                f"the machine {node} of the cluster cannot work for this run: {told}; install the "
                f"same there as here, penult {__version__} with its extras and what extends it"
            )
        if kind == "ChildProcessError":
            raise ClusterError(_deadly(int(told)))
        raise ClusterError(f"on {node}: {told}")
    return got  # type: ignore[no-any-return]


def _deadly(deaths: int) -> str:
    return (
        f"a worker of the cluster could not do its part: the same part killed its worker "
        f"{count(deaths, 'time')}, by one of its images or for want of memory (give "
        f"{option('ray_workers', 'N')} fewer of them, or {option('batch_size', 'N')} less each)"
    )


def _explained(error: BaseException) -> Exception:
    """Say in one line what has happened to the workers."""
    import ray

    if isinstance(error, PenultError):
        return error
    found: BaseException | None = error
    while found is not None and not isinstance(found, ray.exceptions.RayError):
        found = found.__cause__
    text = str(found if found is not None else error)
    lower = text.lower()
    out_of_memory = isinstance(found, ray.exceptions.OutOfMemoryError)
    if out_of_memory or "out of memory" in lower or "oom" in lower or "memory pressure" in lower:
        why = (
            "its machine ran out of memory; give "
            f"{option('ray_workers', 'N')} fewer of them, or {option('batch_size', 'N')} less each"
        )
    elif isinstance(found, ray.exceptions.RayActorError | ray.exceptions.WorkerCrashedError):
        why = f"workers could not be reached again and again ({first_line(error)})"
    else:
        why = first_line(error)
    return ClusterError(f"a worker of the cluster could not do its part: {why}")
