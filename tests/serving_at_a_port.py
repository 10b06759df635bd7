"""The service of a test at a port of this machine."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from queue import Queue

from penult.serving.server import listen, run


@contextmanager
def at_a_port(service, host="127.0.0.1"):
    """Serve in a thread; the address, and what stops it."""
    ready: Queue = Queue()
    taken = listen(host, 0)
    thread = threading.Thread(target=run, args=(service, taken), kwargs={"on_ready": ready.put})
    thread.start()
    listening = ready.get(timeout=20)
    try:
        yield listening
    finally:
        listening.stop()
        thread.join(20)
        assert not thread.is_alive()
