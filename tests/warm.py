"""A `penult` that costs a fork in place of an import of torch; a program of its own, see `serve`.

`put_penult_into(folder)` writes a program `penult` that hands its arguments, folder, environment and
standard streams to a server, which has imported what commands import and forks a child for each. The
server starts no thread itself (and checks that), or forking would not be sound.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import importlib
import json
import os
import pkgutil
import socket
import subprocess
import sys
import textwrap
import traceback
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

# OpenVINO starts a thread, and is quickly imported; what NNCF does to loggers is for who asks for it.
IMPORTED = [
    "h5py",
    "matplotlib.backends.backend_agg",
    "matplotlib.pyplot",
    "openTSNE",
    "penult.cli",
    "skops.io",
    "sklearn.cluster",
    "sklearn.linear_model",
    "sklearn.manifold",
    "typer._adapters",
    *(["timm", "torch", "torchvision"] if find_spec("torch") else []),
]
CLIENT = """
    #!{python} -IS
    import json, os, socket, sys
    with socket.socket(socket.AF_UNIX) as server:
        server.connect({address!r})
        call = [sys.argv[1:], os.getcwd(), dict(os.environ)]
        socket.send_fds(server, [json.dumps(call).encode()], [0, 1, 2])
        server.shutdown(socket.SHUT_WR)
        code = server.recv(1)
    sys.exit(code[0] if code else "the command was killed")
"""


@contextlib.contextmanager
def put_penult_into(folder: Path) -> Iterator[None]:
    """Write `penult` into a folder; it works until the context ends."""
    address = str(folder / "socket")
    command = [sys.executable, "-W", "ignore", __file__, address]
    # On being imported, OpenBLAS starts its threads, and pyarrow one that gives memory back.
    environment = os.environ | {
        "OMP_NUM_THREADS": "1",
        "JE_ARROW_MALLOC_CONF": "background_thread:false",
    }
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as server:
        assert server.stdout.readline() == b"ready\n"
        client = textwrap.dedent(CLIENT).lstrip().format(python=sys.executable, address=address)
        (folder / "penult").write_text(client)
        (folder / "penult").chmod(0o755)
        try:
            yield
        finally:
            server.kill()


def serve(address: str) -> None:
    """Answer calls, each in a child of its own."""
    for name in IMPORTED:
        importlib.import_module(name)
    import jinja2
    import typer.main

    import penult
    from penult.cli import app
    from penult.web.page import page_environment

    for module in pkgutil.walk_packages(penult.__path__, "penult."):
        with contextlib.suppress(ImportError):  # of what an extra brings that is not installed
            importlib.import_module(module.name)
    sys.modules["penult.explore.clustering.kmeans"]._STARTS = 1  # as in conftest.py
    pages = page_environment("penult.reporting")
    for name in pages.list_templates(extensions=["html"]):
        with contextlib.suppress(jinja2.TemplateError):  # of what has filters of its own
            pages.get_template(name)  # compiled once, and not in each child that writes a page

    typer.main.get_command = functools.cache(typer.main.get_command)
    typer.main.get_command(app)
    gc.freeze()  # or a child that looks for garbage copies all of it
    assert len(list(Path("/proc/self/task").iterdir())) == 1, "forking with threads is not sound"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(address)
        server.listen()
        print("ready", flush=True)
        while True:
            connection, _ = server.accept()
            if not os.fork():
                server.close()
                answer(connection)
            connection.close()
            while os.waitpid(-1, os.WNOHANG)[0]:  # those that have ended; this child is there yet
                pass


def answer(connection: socket.socket) -> None:
    """Run one command in this process, and end it."""
    code = 1
    try:
        message, streams, _, _ = socket.recv_fds(connection, 1 << 20, 3)
        while more := connection.recv(1 << 20):
            message += more
        arguments, folder, environment = json.loads(message)
        for ours, theirs in enumerate(streams):
            os.dup2(theirs, ours)
            os.close(theirs)
        sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w"), open(2, "w")  # noqa: SIM115
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(environment)
        sys.argv = ["penult", *arguments]
        code = ended()
    except BaseException:
        traceback.print_exc()
    finally:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError):  # as of a pipe that nobody reads any more
                stream.flush()
        connection.sendall(bytes([code]))
        os._exit(code)


def ended() -> int:
    from penult.cli import main

    try:
        main()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


if __name__ == "__main__":
    serve(sys.argv[1])
