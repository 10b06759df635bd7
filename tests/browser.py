"""Headless Chromium, told what to do over a pipe in the DevTools protocol; no driver is needed.

https://chromedevtools.github.io/devtools-protocol/
"""

from __future__ import annotations

import atexit
import fcntl
import json
import os
import select
import shutil
import signal
import tempfile
import time
from contextlib import contextmanager
from functools import cache
from pathlib import Path

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
_OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--enable-unsafe-swiftshader",  # WebGL in software, without a complaint about it
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--no-first-run",
    "--remote-debugging-pipe",
)
_PATIENCE = 60  # seconds until an answer


@contextmanager
def browser():
    """Yield a `Tab` with storage of its own, which ends with the block; its browser goes on."""
    chromium = _running()
    try:
        (context,) = chromium.call("Target.createBrowserContext").values()
        yield Tab(chromium, context)
        chromium.call("Target.disposeBrowserContext", browserContextId=context)
    except BaseException:
        _running.cache_clear()
        chromium.end()
        raise


@cache
def _running():
    """One for all tests of a process, for to start it takes more than most of them."""
    return _Chromium()


class _Chromium:
    """A browser that is told what to do, and that answers of each of its pages."""

    def __init__(self):
        self._profile = tempfile.mkdtemp(prefix="penult-browser-")
        to_read, to_write = _pipe(), _pipe()
        self._process = os.posix_spawn(
            CHROMIUM,
            [CHROMIUM, *_OPTIONS, f"--user-data-dir={self._profile}", "about:blank"],
            os.environ,
            file_actions=[
                (os.POSIX_SPAWN_DUP2, to_read[0], 3),
                (os.POSIX_SPAWN_DUP2, to_write[1], 4),
                (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
                (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
            ],
            setpgroup=0,
        )
        os.close(to_read[0])
        os.close(to_write[1])
        self._commands, self._answers = to_read[1], to_write[0]
        self._started_by, self._read, self._last = os.getpid(), b"", 0
        self.events = {}  # lists of them, by session
        atexit.register(self.end)

    def end(self):
        atexit.unregister(self.end)
        if os.getpid() != self._started_by:  # a process that a test forked
            return
        os.killpg(self._process, signal.SIGKILL)
        os.waitpid(self._process, 0)
        os.close(self._commands)
        os.close(self._answers)
        shutil.rmtree(self._profile, ignore_errors=True)

    def call(self, method, *, session=None, **parameters):
        """Have the browser do something, and return what it answers."""
        self._last += 1
        message = {"id": self._last, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self._commands, data) :]
        while (answer := self.receive()).get("id") != self._last:
            pass
        assert "error" not in answer, (method, answer)
        return answer["result"]

    def receive(self):
        """Wait for an answer, or for an event, which is kept with those of its session."""
        end = time.monotonic() + _PATIENCE
        while b"\0" not in self._read:
            ready, _, _ = select.select([self._answers], [], [], max(0, end - time.monotonic()))
            data = os.read(self._answers, 1 << 16) if ready else b""
            assert data, "the browser has ended, or does not answer"
            self._read += data
        message, self._read = self._read.split(b"\0", 1)
        message = json.loads(message)
        if "id" not in message:
            self.events.setdefault(message.get("sessionId"), []).append(message)
        return message


def _pipe():
    """A pipe whose ends are neither 3 nor 4, which they become in the browser."""
    ends = os.pipe()
    moved = tuple(fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in ends)
    for end in ends:
        os.close(end)
    return moved


class Tab:
    """A page of the browser, with all that it asked for and all that it complained of."""

    def __init__(self, chromium, context):
        self._chromium = chromium
        page = chromium.call("Target.createTarget", url="about:blank", browserContextId=context)
        attached = chromium.call("Target.attachToTarget", **page, flatten=True)
        self._session = attached["sessionId"]
        self._events = chromium.events.setdefault(self._session, [])
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.call(f"{domain}.enable")

    def open(self, page: Path | str, *, width=1200, height=900, dark=False):
        """Show a file, or what is at an address, at a window's size."""
        self._events.clear()
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 600,
        )
        features = {
            "prefers-color-scheme": "dark" if dark else "light",
            "prefers-reduced-motion": "reduce",  # what is seen is there at once
        }
        self.call(
            "Emulation.setEmulatedMedia",
            features=[{"name": name, "value": value} for name, value in features.items()],
        )
        self.call("Page.navigate", url=page if isinstance(page, str) else page.resolve().as_uri())
        self._wait_for("Page.loadEventFired")

    def run(self, expression):
        """Evaluate JavaScript, and return its value."""
        done = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in done, done
        return done["result"].get("value")

    def until(self, expression):
        """Evaluate JavaScript again and again until its value is true, and return that."""
        end = time.monotonic() + _PATIENCE
        while not (value := self.run(expression)):
            assert time.monotonic() < end, f"never true: {expression}"
            time.sleep(0.02)
        return value

    def press(self, key, *, modifiers=0, held=None):
        """Press a key and let it go, for example ``"Tab"`` or ``"+"``; with Ctrl, `modifiers` is 2.

        One that is held down is repeated once, when `held` has returned.
        """
        arrows = {"ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40}
        names = {"Tab": 9, "Enter": 13, "Escape": 27, **arrows}
        code = names.get(key) or ord(key.upper())
        text = {"text": "\r"} if key == "Enter" else {} if key in names else {"text": key}
        named = {"key": key, "code": key, "windowsVirtualKeyCode": code, "modifiers": modifiers}
        self.call("Input.dispatchKeyEvent", type="keyDown", **named, **text)
        if held is not None:
            held()
            self.call("Input.dispatchKeyEvent", type="keyDown", autoRepeat=True, **named, **text)
        self.call("Input.dispatchKeyEvent", type="keyUp", **named)

    def drag(self, *places, modifiers=0):
        """Press the mouse's button at the first place, move to the others, and let it go."""
        (x, y), *others = places
        held = {"button": "left", "buttons": 1, "clickCount": 1, "modifiers": modifiers}
        self.point(x, y)
        self.call("Input.dispatchMouseEvent", type="mousePressed", x=x, y=y, **held)
        for x, y in others:
            self.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y, **held)
        self.call("Input.dispatchMouseEvent", type="mouseReleased", x=x, y=y, **held)

    def double_click(self, x, y, *, between):
        """Click twice at a place; the second time when `between` has returned."""
        for count in (1, 2):
            pressed = {"x": x, "y": y, "button": "left", "buttons": 1, "clickCount": count}
            self.call("Input.dispatchMouseEvent", type="mousePressed", **pressed)
            self.call("Input.dispatchMouseEvent", type="mouseReleased", **pressed)
            if count == 1:
                between()

    def touch(self, *steps):
        """Put fingers down where the first step says, move them, and lift them all."""
        for k, fingers in enumerate(steps):
            self._fingers("touchMove" if k else "touchStart", fingers)
        self._fingers("touchEnd", ())

    def _fingers(self, kind, places):
        points = [{"x": x, "y": y, "id": k} for k, (x, y) in enumerate(places)]
        self.call("Input.dispatchTouchEvent", type=kind, touchPoints=points)

    def point(self, x, y):
        """Move the mouse to a place."""
        self.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    @property
    def requests(self):
        """The addresses that were asked for since the page was opened."""
        sent = [one for one in self._events if one["method"] == "Network.requestWillBeSent"]
        return [one["params"]["request"]["url"] for one in sent]

    @property
    def complaints(self):
        """What stands in the console, of the page and of the browser about it."""
        methods = ("Log.entryAdded", "Runtime.exceptionThrown", "Runtime.consoleAPICalled")
        said = [one["params"] for one in self._events if one["method"] in methods]
        # Chromium says of WebGL in software that reading its picture is slow.
        return [one for one in said if "GPU stall" not in one.get("entry", {}).get("text", "")]

    def call(self, method, **parameters):
        """Have the browser do something with the page, and return what it answers."""
        return self._chromium.call(method, session=self._session, **parameters)

    def _wait_for(self, event):
        while not any(one["method"] == event for one in self._events):
            self._chromium.receive()
