"""`penult serve` in a process of its own, with a slow toy network; see tests/serving/test_load.py.

It takes the seconds of a batch and the options of the command, and writes a line to standard error
for each photo that its queue takes.
"""

from __future__ import annotations

import sys
import time

import toys
from toys import MeanColour

from penult.backbones.registry import register
from penult.cli import main
from penult.engines.composition import Composition
from penult.serving.engine_queue import EngineQueue


def serve_slowly(seconds: float) -> None:
    toys.has_torch = lambda: False  # or it would be imported for a mean
    register(MeanColour())
    submit, run = EngineQueue.submit, Composition.run

    def told(queue, records, lane):
        futures = submit(queue, records, lane)
        sys.stderr.write("took one\n" * len(records))
        sys.stderr.flush()
        return futures

    def slowly(composition, images):
        time.sleep(seconds)
        return run(composition, images)

    EngineQueue.submit, Composition.run = told, slowly
    sys.argv[1:2] = ["serve", "--port", "0", "--json", "--quiet"]
    main()


if __name__ == "__main__":
    serve_slowly(float(sys.argv[1]))
