"""A process that writes labels until it is killed, again and again; a program of its own.

    python label_killing.py LOG KILLS SEED

It prints, of each life, the entries that were acknowledged: JSON, a list of [entry, id, label].
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from itertools import count

from penult.serving.labels.log import LabelLog


def write_labels(log: str, life: int, acknowledged: int) -> None:
    """Change labels one by one and many at once, and tell of each change that was acknowledged."""
    with LabelLog(log) as labels:
        for turn in count():
            ids = [f"{life}/{turn}/{k}.jpg" for k in range(1 if turn % 3 else 40)]
            entries = labels.put(ids, f"label {turn}", "anna")
            said = [[one.entry, one.id, one.new] for one in entries]
            os.write(acknowledged, json.dumps(said).encode() + b"\n")


def main() -> None:
    log, kills, chosen = sys.argv[1], int(sys.argv[2]), random.Random(int(sys.argv[3]))
    for life in range(kills):
        receive, send = os.pipe()
        child = os.fork()
        if not child:
            write_labels(log, life, send)
        os.close(send)
        with os.fdopen(receive, "rb") as told:
            first = told.readline() if life % 2 else b""  # or it may die before it has begun
            time.sleep(chosen.uniform(0, 0.02))
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            # What was told in part was acknowledged in part, and is not counted.
            lines = [
                one for one in (first + told.read()).splitlines(keepends=True) if one[-1:] == b"\n"
            ]
        print(json.dumps([entry for line in lines for entry in json.loads(line)]), flush=True)


if __name__ == "__main__":
    main()
