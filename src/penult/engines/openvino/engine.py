"""OpenVINO: the fastest engine on a CPU; its conversions are kept on disk."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from concurrent.futures import Future
from queue import SimpleQueue
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.engines.agreement import check_image, cosines, relative_error
from penult.engines.base import TOLERANCE, Engine, EngineSettings
from penult.engines.batches import PreparedSizes
from penult.engines.openvino.cache import ConversionCache, DamagedError
from penult.engines.openvino.conversion import (
    INT8_TOLERANCE,
    Conversion,
    convert,
)
from penult.engines.openvino.precision import HINTS, LEAST_COSINE, require_precision
from penult.engines.openvino.rows import run_model
from penult.errors import EngineError
from penult.interface import option
from penult.machine import cores
from penult.machine_faults import is_of_memory, machine_fault
from penult.messages import first_line
from penult.openvino import (
    first_run_lock,
    import_openvino,
    refuse_forked,
    shared_core,
    stays_in_forks,
)
from penult.progress import announce
from penult.threads import NetworkThreads

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.backbones.backbone import Backbone
    from penult.recipe import BackboneRecipe

__all__ = ["OpenVinoEngine", "converted"]

# Images an inference. More gain nothing, and their activations leave the core's own cache.
_AT_ONCE = 4


class OpenVinoEngine(Engine):
    """Runs a converted graph, one stream a core; needs no torch once it is converted.

    Parameters
    ----------
    backbone : Backbone
        One that is an OpenVINO graph, or can be cut as a torch module.
    recipes : sequence of BackboneRecipe
        What is to be computed.
    settings : EngineSettings
        By default, as many streams as there are cores.

    Raises
    ------
    UsageError
        If this processor does not compute in the recipes' precision.
    EngineError
        If the network cannot be converted, or the conversion does not agree with torch to
        `TOLERANCE`; or after a fork.
    """

    name = "openvino"
    device = "cpu"
    batch_size = 8

    def __init__(
        self,
        backbone: Backbone,
        recipes: Sequence[BackboneRecipe],
        settings: EngineSettings,
    ) -> None:
        self.recipes = tuple(recipes)
        self._precision = self.recipes[0].precision
        self.concurrency = settings.streams or cores()
        self.batch_size = settings.batch_size or self.batch_size
        self._backbone = backbone
        self._graphs: dict[int, SimpleQueue[Any]] = {}
        self._opening = Lock()
        self._one_does = False  # for want of a second one
        self._fixed = False
        # The streams share the way to memory, so each reads the weights once for several images.
        # A graph compiled for a fixed number is faster than one for any number up to it, by up to
        # a seventh, and costs the last batch some images of nothing.
        self._several = 1 if self.batch_size < _AT_ONCE else _AT_ONCE
        few = (settings.images or self.batch_size) < _AT_ONCE
        refuse_forked()
        require_precision(import_openvino(), self._precision)
        instant = backbone.metadata.instant
        self._cache = None if settings.fresh or instant else ConversionCache(self.recipes)
        cached = _load(self._cache, backbone)
        if cached is not None:
            try:
                self._open(cached, 1 if few else self._several)
            except (RuntimeError, DamagedError) as error:
                _refuse_little_memory(backbone, error)
                _warn(self._cache, backbone, f"cannot be used here: {first_line(error)}")
            else:
                return
        conversion = _convert(self._cache, backbone, recipes)
        try:
            self._open(conversion, 1 if few else self._several)
        except DamagedError as error:  # it ran
            message = f"{backbone.described} does not compute what it should: {error}"
            raise EngineError(message) from error
        except RuntimeError as error:
            raise EngineError(f"{backbone.described} cannot run: {first_line(error)}") from error

    def _open(self, conversion: Conversion, at_once: int) -> None:
        """Compile the first graph."""
        if conversion.batch is not None:
            self._fixed = True
            self._several = at_once = conversion.batch
        self._sizes = PreparedSizes(self._several)
        self._graphs[self._sizes.to_run(at_once)] = self._compile(conversion, at_once)

    def _compile(self, conversion: Conversion, at_once: int) -> SimpleQueue[Any]:
        """Compile for so many images an inference, and compare the rows of the check image."""
        size = self.recipes[0].preprocessing.input_size
        expected: Sequence[NDArray[np.float32]] = conversion.rows
        options = {
            "NUM_STREAMS": self.concurrency,
            "INFERENCE_NUM_THREADS": self.concurrency,
            "INFERENCE_PRECISION_HINT": HINTS[self._precision],
            "ENABLE_CPU_PINNING": False,
        }
        ov, image = import_openvino(), check_image(size)[None]
        requests: SimpleQueue[Any] = SimpleQueue()
        stays_in_forks(requests)
        with first_run_lock, NetworkThreads(1) as beside:
            in_float32: Future[list[NDArray[np.float32]]] | None = None
            if self._precision != "float32" and not expected:
                # Compiling keeps one core busy, and the others have nothing to do yet.
                single = conversion.model.clone()
                single.reshape([1, *size, 3])
                in_float32 = beside.submit(run_model, ov, single, image)
            conversion.model.reshape([at_once, *size, 3])
            compiled = shared_core(ov).compile_model(conversion.model, "CPU", options)
            for _ in range(self.concurrency):
                requests.put(compiled.create_infer_request())
            if in_float32 is not None:
                expected = self._reference(in_float32)
            rows = self._run(image, requests, at_once)
        self._compare(rows, expected)
        return requests

    def _reference(
        self, in_float32: Future[list[NDArray[np.float32]]]
    ) -> list[NDArray[np.float32]]:
        """The rows in float32, once they are there."""
        try:
            return in_float32.result()
        except RuntimeError as error:
            raise DamagedError(
                f"its rows in float32, which those in {self._precision} are compared with, cannot "
                f"be computed: {first_line(error)}"
            ) from error

    def _compare(
        self, rows: Sequence[NDArray[np.float32]], expected: Sequence[NDArray[np.float32]]
    ) -> None:
        """Compare rows of the check image with those in float32, as far as there are any."""
        quantized = self._backbone.metadata.quantized
        tolerance = INT8_TOLERANCE if quantized else TOLERANCE
        for recipe, row, then in zip(self.recipes, rows, expected, strict=False):
            if quantized:
                row, then = _over_places(row), _over_places(then)
            if self._precision != "float32":
                cosine = float(cosines(row, then)[0])
                if not cosine >= LEAST_COSINE:
                    raise DamagedError(
                        f"its rows of {recipe.layer} in {self._precision} are others than in "
                        f"float32 (cosine {cosine:.3f}); extract with "
                        f"{option('precision', 'float32')}"
                    )
            elif not (relative := relative_error(row, then)) <= tolerance:
                raise DamagedError(
                    f"the rows of {recipe.layer} differ by {relative:.1e} from those it gave when "
                    f"it was made"
                )

    def run(self, images: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        """See `Engine.run`."""
        refuse_forked()
        at_once = self._graph_for(len(images))
        left = len(images) % at_once
        if not left or 1 not in self._graphs:
            return self._run(images, self._graphs[at_once], at_once)
        # Where single photos come as well, as to a service, none has to be filled up.
        parts = [self._run(images[-left:], self._graphs[1], 1)]
        if left < len(images):
            parts.insert(0, self._run(images[:-left], self._graphs[at_once], at_once))
        return [np.concatenate(blocks) for blocks in zip(*parts, strict=True)]

    def _graph_for(self, images: int) -> int:
        """For how many images an inference the graph is that suits so many; compiled if need be.

        One photo in a graph for four takes as long as four, but compiling takes as long as twenty.
        """
        with self._opening:
            few = images == 1 and not self._fixed
            at_once = self._sizes.to_run(1 if few else self._several)
            if at_once not in self._graphs and not self._one_does:
                try:
                    conversion = self._cache and self._cache.load()
                    if self._backbone.metadata.instant:
                        conversion = convert(self._backbone, self.recipes)
                    self._one_does = not conversion
                    if conversion:
                        self._graphs[at_once] = self._compile(conversion, at_once)
                except (RuntimeError, DamagedError) as error:
                    self._one_does = True
                    logging.getLogger("penult").debug("penult: no second graph: %s", error)
            return at_once if at_once in self._graphs else next(iter(self._graphs))

    def _run(
        self, images: NDArray[np.uint8], requests: SimpleQueue[Any], at_once: int
    ) -> list[NDArray[np.float32]]:
        request = requests.get()
        try:
            rows: list[NDArray[np.float32]] = []
            for start in range(0, len(images), at_once):
                chunk = images[start : start + at_once]
                if missing := at_once - len(chunk):
                    chunk = np.concatenate([chunk, np.zeros((missing, *chunk.shape[1:]), np.uint8)])
                outputs = request.infer(chunk, share_inputs=True, share_outputs=True)
                results = [outputs[j] for j in range(len(self.recipes))]
                if not rows:
                    rows = [np.empty((len(images), *r.shape[1:]), np.float32) for r in results]
                for row, result in zip(rows, results, strict=True):
                    row[start : start + at_once] = result[: len(row) - start]
            return rows
        finally:
            requests.put(request)


def converted(backbone: Backbone, recipes: Sequence[BackboneRecipe]) -> Conversion:
    """The graph that gives these recipes' rows.

    Raises
    ------
    EngineError
    """
    refuse_forked()
    cache = None if backbone.metadata.instant else ConversionCache(recipes)
    return _load(cache, backbone) or _convert(cache, backbone, recipes)


def _load(cache: ConversionCache | None, backbone: Backbone) -> Conversion | None:
    """What is cached, if it is what was put there."""
    if cache is None:
        return None
    try:
        return cache.load()
    except DamagedError as error:
        _refuse_little_memory(backbone, error.__cause__ or error)
        _warn(cache, backbone, str(error))
        return None


def _refuse_little_memory(backbone: Backbone, error: BaseException) -> None:
    """Refuse to make a conversion anew, which takes more, where there is too little memory for it.

    Raises
    ------
    EngineError
    """
    if is_of_memory(error):
        raise EngineError(f"{backbone.described} cannot run: {machine_fault(error)}") from error


def _convert(
    cache: ConversionCache | None, backbone: Backbone, recipes: Sequence[BackboneRecipe]
) -> Conversion:
    """Convert, and cache it where that can be done."""
    if not backbone.metadata.instant:
        once = " anew, without the cache" if cache is None else ", once"
        announce(f"converting {backbone.described} for this processor{once}")
    conversion = convert(backbone, recipes)
    if cache is not None:
        try:
            cache.store(conversion)
        except OSError as error:
            logging.getLogger("penult").warning(
                "penult: the conversion of %s cannot be kept in %s, and is made each time: %s; "
                "PENULT_CACHE names another folder",
                backbone.described,
                cache.folder.parent,
                error.strerror or error,
            )
    return conversion


def _warn(cache: ConversionCache | None, backbone: Backbone, what: str) -> None:
    logging.getLogger("penult").warning(
        "penult: the conversion of %s that is kept in %s %s; it is made anew",
        backbone.described,
        cache and cache.folder,
        what,
    )


def _over_places(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """The average of whole maps or tokens: each of their integers may be rounded otherwise."""
    if rows.ndim < 3:
        return rows
    return np.asarray(rows.mean((2, 3) if rows.ndim == 4 else 1, dtype=np.float32))
