"""A loopback stand-in for the Hugging Face hub, and for a plain server of files."""

from __future__ import annotations

import hashlib
import re
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class Hub:
    """What is served, how it misbehaves, and what was asked of it.

    Attributes
    ----------
    url : without a slash at the end
    files : path (``owner/name/model.safetensors``) to bytes
    refusals : path of what is not served to the status and the hub's word for why
    corrupt : paths of which other bytes are sent than were announced
    breaks : path to the number of bytes after which the connection breaks, once
    ranges : whether the server sends parts of files
    requests : method, path and the first byte asked for, of every request
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.files: dict[str, bytes] = {}
        self.refusals: dict[str, tuple[int, str]] = {}
        self.corrupt: set[str] = set()
        self.breaks: dict[str, int] = {}
        self.ranges = True
        self.requests: list[tuple[str, str, int]] = []

    @property
    def downloads(self) -> list[tuple[str, int]]:
        """The path and first byte of every request for content."""
        return [(path, first) for method, path, first in self.requests if method == "GET"]


def _handler(hub: Hub):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *args):
            pass

        def do_HEAD(self):
            self.answer("HEAD")

        def do_GET(self):
            self.answer("GET")

        def answer(self, method):
            path = re.sub("/resolve/[^/]+/", "/", self.path).lstrip("/")
            asked = re.match(r"bytes=(\d+)-", self.headers.get("Range", ""))
            first = int(asked[1]) if asked and hub.ranges else 0
            hub.requests.append((method, path, first))
            if path not in hub.files:
                return self.refuse(path)
            content = hub.files[path]
            digest = hashlib.sha256(content).hexdigest()
            if path in hub.corrupt:
                content = bytes(255 - byte for byte in content)
            if first >= len(content):
                return self.finish_headers(416, {"Content-Length": "0"})
            self.finish_headers(
                206 if first else 200,
                {
                    "Content-Length": str(len(content) - first),
                    "Content-Range": f"bytes {first}-{len(content) - 1}/{len(content)}",
                    "ETag": f'"{digest}"',
                    "X-Linked-Etag": f'"{digest}"',
                    "X-Linked-Size": str(len(content)),
                    "X-Repo-Commit": COMMIT,
                    "Accept-Ranges": "bytes",
                },
            )
            if method == "GET":
                if path in hub.breaks:
                    self.wfile.write(content[first : hub.breaks.pop(path)])
                    self.close_connection = True
                else:
                    self.wfile.write(content[first:])
            return None

        def refuse(self, path):
            repository = path.rpartition("/")[0]
            known = any(other.startswith(repository + "/") for other in hub.files)
            why = 404, "EntryNotFound" if known else "RepoNotFound"
            status, code = hub.refusals.get(path, why)
            self.finish_headers(
                status,
                {
                    "Content-Length": "0",
                    "X-Error-Code": code,
                    "X-Repo-Commit": COMMIT,
                },
            )

        def finish_headers(self, status, headers):
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()

    return Handler


@contextmanager
def serving():
    """Serve on a free port of the loopback device."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    server.daemon_threads = True
    hub = Hub(f"http://127.0.0.1:{server.server_port}")
    server.RequestHandlerClass = _handler(hub)
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    hub.stop = server.shutdown
    try:
        yield hub
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
