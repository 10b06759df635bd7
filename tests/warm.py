"""A `penult` that costs a fork in place of an import of torch; a program of its own, see `serve`.

`put_penult_into(folder)` writes a program `penult` that hands its arguments, folder, environment and
standard streams to a server, which has imported what commands import and forks a child for each
folder in which one is typed. The child waits for the next command typed there, and so opens a network
once for a page of examples; while it runs one, another (of a pipe) gets a child of its own. The
server starts no thread itself (and checks that), or forking would not be sound. All workers of a test
run share one: whoever uses it holds a lock, and it ends when nobody does. A service, which is sent
signals, is a process of its own: see small_images.py.
"""

from __future__ import annotations

import contextlib
import fcntl
import gc
import importlib
import marshal
import os
import pkgutil
import select
import socket
import subprocess
import sys
import textwrap
import traceback
from collections.abc import Callable, Iterator
from functools import cache, partial
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
# It starts for each command, and so imports next to nothing.
CLIENT = """
    #!{python} -IS
    import _socket, array, marshal, posix, sys
    if sys.argv[1:2] == ["serve"]:
        posix.execv({python!r}, [{python!r}, "-W", "ignore", {service!r}, *sys.argv[1:]])
    server = _socket.socket(_socket.AF_UNIX)
    try:
        server.connect({folder!r} + "/of-%d" % posix.stat(".").st_ino)
    except OSError:
        server = _socket.socket(_socket.AF_UNIX)
        server.connect({folder!r} + "/socket")
    message = marshal.dumps((sys.argv[1:], posix.getcwd(), dict(posix.environ)))
    streams = (_socket.SOL_SOCKET, _socket.SCM_RIGHTS, array.array("i", [0, 1, 2]))
    sent = server.sendmsg([message], [streams])
    server.sendall(message[sent:])
    server.shutdown(_socket.SHUT_WR)
    code = server.recv(1)
    sys.exit(code[0] if code else "the command was killed")
"""
IDLE = 5  # seconds after which a child ends that nobody has typed a command for


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
    write_client(folder / "partial", folder)
    (folder / "partial").rename(folder / "penult")


def write_client(path: Path, folder: Path) -> None:
    """Write the program that hands all that it was given to the server of a folder."""
    service = str(Path(__file__).with_name("small_images.py"))
    client = textwrap.dedent(CLIENT).lstrip()
    path.write_text(client.format(python=sys.executable, folder=str(folder), service=service))
    path.chmod(0o755)


def serve(address: str) -> None:
    """Answer calls, those of each folder in a child of its own."""
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
    # Imported here for what is imported before it.
    importlib.import_module("quick_examples").quicken(setattr)
    pages = page_environment("penult.reporting")
    for name in pages.list_templates(extensions=["html"]):
        with contextlib.suppress(jinja2.TemplateError):  # of what has filters of its own
            pages.get_template(name)  # compiled once, and not in each child that writes a page

    typer.main.get_command = cache(typer.main.get_command)
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
    """Have a child answer the next call, and those that follow in its folder.

    It does so by the command; if it is told what to run, it answers one call alone.
    """
    connection, _ = server.accept()
    if not os.fork():
        folder = Path(server.getsockname()).parent
        server.close()
        try:
            calls = [connection]
            while calls:
                answer(calls.pop(0), run)
                calls += [] if calls or run else next_calls(folder)
        finally:
            os._exit(0)
    connection.close()


def next_calls(folder: Path) -> list[socket.socket]:
    """Wait for a command that is typed in this process's folder; of a pipe it may be several.

    While one runs, there is no address of this process, and who comes asks the server.
    """
    address = folder / f"of-{Path.cwd().stat().st_ino}"
    mine = folder / f"{os.getpid()}"
    calls = []
    with socket.socket(socket.AF_UNIX) as waiting:
        waiting.bind(str(mine))
        waiting.listen()
        mine.rename(address)
        select.select([waiting], [], [], IDLE)
        address.unlink()
        while select.select([waiting], [], [], 0)[0]:
            calls.append(waiting.accept()[0])
    return calls


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
    """Run one command in this process."""
    code = 1
    try:
        message, streams, _, _ = socket.recv_fds(connection, 1 << 20, 3)
        while more := connection.recv(1 << 20):
            message += more
        arguments, folder, environment = marshal.loads(message)
        for ours, theirs in enumerate(streams):
            os.dup2(theirs, ours)
            os.close(theirs)
        sys.stdin, sys.stdout, sys.stderr = map(partial(open, closefd=False), range(3), "rww")
        os.chdir(folder)
        os.environ.clear()
        os.environ.update({os.fsdecode(k): os.fsdecode(v) for k, v in environment.items()})
        if "PENULT_SHALLOW" in os.environ:
            have_shallow_networks()
        sys.argv = ["penult", *arguments]
        code = ended(run)
    except BaseException:
        traceback.print_exc()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError):  # as of a pipe that nobody reads any more
            stream.flush()
    nothing = os.open(os.devnull, os.O_RDWR)
    for ours in range(3):  # who reads them waits for their end
        os.dup2(nothing, ours)
    os.close(nothing)
    connection.sendall(bytes([code]))
    connection.close()


@cache
def have_shallow_networks() -> None:
    importlib.import_module("quick_examples").make_shallow(setattr)


def ended(run: Callable[[], object] | None = None) -> int:
    from penult.cli import main

    try:
        (run or main)()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


if __name__ == "__main__":
    serve(sys.argv[1])
