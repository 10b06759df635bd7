"""A `penult` that costs a fork in place of an import of torch; a program of its own, see `serve`.

`put_penult_into(folder)` writes a program `penult` that hands its arguments, folder, environment and
standard streams to a server, which has imported what commands import and forks a child for each. The
server starts no thread itself (and checks that), or forking would not be sound. All workers of a test
run share one: whoever uses it holds a lock, and it ends when nobody does.
"""

from __future__ import annotations

import contextlib
import fcntl
import functools
import gc
import importlib
import json
import os
import pkgutil
import select
import socket
import subprocess
import sys
import textwrap
import traceback
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

# OpenVINO is imported as penult does, without what starts a thread; what NNCF does to loggers is for
# who asks for it.
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
    """Write `penult` into a folder, unless another process has; it works until the context ends."""
    folder.mkdir(exist_ok=True)
    with (folder / "users").open("w") as users, (folder / "turn").open("w") as turn:
        fcntl.flock(users, fcntl.LOCK_SH)
        fcntl.flock(turn, fcntl.LOCK_EX)
        if not (folder / "penult").exists():
            start(folder)
        fcntl.flock(turn, fcntl.LOCK_UN)
        yield


def start(folder: Path) -> None:
    """Start the server, wait until it answers, and write the program."""
    address = str(folder / "socket")
    # On being imported, OpenBLAS starts its threads, and pyarrow one that gives memory back.
    environment = os.environ | {
        "OMP_NUM_THREADS": "1",
        "JE_ARROW_MALLOC_CONF": "background_thread:false",
    }
    subprocess.run(
        [sys.executable, "-W", "ignore", __file__, address],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        env=environment,
        check=True,
    )
    write_client(folder / "partial", address)
    (folder / "partial").rename(folder / "penult")


def write_client(path: Path, address: str) -> None:
    """Write the program that hands all that it was given to the server at an address."""
    path.write_text(textwrap.dedent(CLIENT).lstrip().format(python=sys.executable, address=address))
    path.chmod(0o755)


def serve(address: str) -> None:
    """Answer calls, each in a child of its own."""
    for name in IMPORTED:
        importlib.import_module(name)
    import jinja2
    import typer.main

    import penult
    from penult.cli import app
    from penult.openvino import import_openvino
    from penult.web.page import page_environment

    for module in pkgutil.walk_packages(penult.__path__, "penult."):
        with contextlib.suppress(ImportError):  # of what an extra brings that is not installed
            importlib.import_module(module.name)
    import_openvino()
    sys.modules["penult.explore.clustering.kmeans"]._STARTS = 1  # as in conftest.py
    sys.modules["penult.engines.measure"].SECONDS = 0.01  # nobody reads how fast it was
    # As in test_docs.py, and imported here for what is imported before it.
    sys.modules["penult.backbones.bundled"]._PACKAGES = importlib.import_module(
        "small_images"
    ).PACKAGES
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
        if os.fork():  # who has waited for this one goes on, and its child serves
            os._exit(0)
        while select.select([server], [], [], 2)[0] or not is_left(Path(address).parent):
            while select.select([server], [], [], 0)[0]:
                take(server)
            with contextlib.suppress(ChildProcessError):
                while os.waitpid(-1, os.WNOHANG)[0]:  # those that have ended
                    pass
    os._exit(0)


def take(server: socket.socket, run: Callable[[], object] | None = None) -> None:
    """Have a child answer the next call, by the command unless told otherwise."""
    connection, _ = server.accept()
    if not os.fork():
        server.close()
        answer(connection, run)
    connection.close()


def is_left(folder: Path) -> bool:
    """Whether nobody uses the server any more; then the next one who comes starts another."""
    try:
        with (folder / "users").open() as users:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            for name in ("penult", "socket"):
                (folder / name).unlink()
    except BlockingIOError:
        return False
    except FileNotFoundError:  # pytest has removed the folder
        pass
    return True


def answer(connection: socket.socket, run: Callable[[], object] | None = None) -> None:
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
        code = ended(run)
    except BaseException:
        traceback.print_exc()
    finally:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError):  # as of a pipe that nobody reads any more
                stream.flush()
        connection.sendall(bytes([code]))
        os._exit(code)


def ended(run: Callable[[], object] | None = None) -> int:
    from penult.cli import main

    try:
        (run or main)()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


if __name__ == "__main__":
    serve(sys.argv[1])
