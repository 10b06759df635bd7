"""A server on this machine that speaks Telegram's Bot API, as far as a bot of photos needs it.

https://core.telegram.org/bots/api: methods at /bot<token>/METHOD, files at /file/bot<token>/PATH.
"""

from __future__ import annotations

import email.parser
import email.policy
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

TOKEN = "4711:the-secret-of-the-flower-bot"
BOT = {"id": 4711, "is_bot": True, "first_name": "Flowers", "username": "flower_bot"}
ANN = {"id": 1, "is_bot": False, "first_name": "Ann"}
ALONE = {"id": 1, "type": "private", "first_name": "Ann"}
GROUP = {"id": -5, "type": "supergroup", "title": "Gardeners"}
_LONGEST_POLL = 0.2


class TelegramStandIn:
    """Delivers updates, hands files out, and keeps what the bot has called.

    `calls` has a method's name, its parameters and the files that came with it. `faults` has, for a
    method, what its next calls get instead of an answer: a number of seconds to wait (429), "broken"
    (the connection is closed), or (status, description).
    """

    def __init__(self):
        self.calls = []
        self.faults = {}
        self.files = {}
        self.limits = {}
        self.updates = []
        self.called = threading.Condition()
        self._sent = 100
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._server.handle_error = lambda *_: None  # a bot that stops closes its connections
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.01,), daemon=True
        )

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    # What people do.

    def message(self, chat=ALONE, sender=ANN, **fields):
        """Someone sends a message; its fields are those of the Bot API."""
        self._sent += 1
        message = {"message_id": self._sent, "date": 1, "chat": chat, "from": sender, **fields}
        for text, entities in (("text", "entities"), ("caption", "caption_entities")):
            if text in message:
                message.setdefault(entities, _entities(message[text]))
        self._deliver(message=message)
        return message

    def photo(self, data, **fields):
        """Someone sends a photo, which Telegram has compressed to two sizes."""
        sizes = [
            {"width": side, "height": side, **self._file(content)}
            for side, content in ((90, b"small"), (1280, data))
        ]
        return self.message(photo=sizes, **fields)

    def document(self, data, mime_type="image/jpeg", size=None, **fields):
        """Someone sends a file."""
        file = self._file(data)
        file["file_size"] = file["file_size"] if size is None else size
        return self.message(document={**file, "mime_type": mime_type}, **fields)

    def press(self, text, sender=ANN):
        """Someone presses a button, of the last message that has one with this on it."""
        for name, answer, data in reversed(self._with_buttons()):
            if text == name:
                press = {"id": str(len(self.calls)), "from": sender, "chat_instance": "1"}
                self._deliver(callback_query={**press, "message": answer, "data": data})
                return
        raise AssertionError(f"no button says {text}")

    # What came of it.

    def of(self, method):
        """The parameters of all calls of a method."""
        return [parameters for name, parameters, _ in list(self.calls) if name == method]

    def wait(self, method, count=1):
        """Wait until a method was called so often, and return the parameters of its last call."""
        with self.called:
            came = self.called.wait_for(lambda: len(self.of(method)) >= count, timeout=20)
        assert came, f"{method} was called {len(self.of(method))} times; calls: {self.names}"
        return self.of(method)[count - 1]

    @property
    def names(self):
        return [name for name, _, _ in self.calls if name not in ("getUpdates", "sendChatAction")]

    # How it is done.

    def _file(self, data):
        id = f"file{len(self.files)}"
        self.files[id] = data
        return {"file_id": id, "file_unique_id": id, "file_size": len(data)}

    def _deliver(self, **update):
        with self.called:
            self.updates.append({"update_id": len(self.updates) + 1, **update})
            self.called.notify_all()

    def _with_buttons(self):
        return [
            (button["text"], answer, button["callback_data"])
            for answer in self._answers
            for row in answer.get("reply_markup", {}).get("inline_keyboard", [])
            for button in row
        ]

    _answers = ()

    def _answer(self, method, given, files):
        """What a method returns."""
        chat = next((c for c in (ALONE, GROUP) if str(c["id"]) == given.get("chat_id")), ALONE)
        sent = {"date": 1, "chat": chat, "from": BOT}
        if method == "getMe":
            return BOT
        if method == "getUpdates":
            return self._poll(int(given.get("offset", 0)))
        if method == "getFile":
            return {
                "file_id": given["file_id"],
                "file_unique_id": "f",
                "file_path": f"photos/{given['file_id']}",
            }
        if method in ("sendMessage", "editMessageText"):
            self._sent += 1
            answer = {**sent, "message_id": self._sent, "text": given["text"]}
            if "inline_keyboard" in given.get("reply_markup", ""):
                answer["reply_markup"] = json.loads(given["reply_markup"])
            self._answers = (*self._answers, answer)
            return answer
        if method == "sendPhoto":
            return {**sent, "message_id": 1}
        if method == "sendMediaGroup":
            media = json.loads(given["media"])
            assert 2 <= len(media) <= 10
            assert all(one["media"].removeprefix("attach://") in files for one in media)
            return [{**sent, "message_id": 1} for _ in media]
        assert method in (
            "answerCallbackQuery",
            "setMyCommands",
            "sendChatAction",
            "setWebhook",
            "deleteWebhook",
        ), method
        return True

    def _poll(self, offset):
        def new():
            return [one for one in self.updates if one["update_id"] >= offset]

        self.called.wait_for(new, timeout=_LONGEST_POLL)
        return new()

    def _call(self, method, given, files):
        """The status and the JSON of a call; None where the connection is to break."""
        with self.called:
            self.calls.append((method, given, files))
            fault = self.faults[method].pop(0) if self.faults.get(method) else None
            try:
                if fault is None:
                    return 200, {"ok": True, "result": self._answer(method, given, files)}
            finally:
                self.called.notify_all()
        if fault == "broken":
            return None
        if isinstance(fault, tuple):
            return fault[0], {"ok": False, "error_code": fault[0], "description": fault[1]}
        told = {"retry_after": fault}
        return 429, {
            "ok": False,
            "error_code": 429,
            "description": "Too Many Requests",
            "parameters": told,
        }

    def _handler(stand_in):  # noqa: N805
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_GET(self):
                path = unquote(self.path)
                prefix = f"/file/bot{TOKEN}/photos/"
                if path.startswith(prefix) and not stand_in.faults.get("download"):
                    self._send(200, stand_in.files[path.removeprefix(prefix)])
                elif stand_in.faults.get("download"):
                    stand_in.faults["download"].pop(0)
                    self._break()
                else:
                    self._send(404, b"{}")

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                prefix, _, method = urlsplit(self.path).path.rpartition("/")
                if prefix != f"/bot{TOKEN}":
                    error = {"ok": False, "error_code": 401, "description": "Unauthorized"}
                    self._send(401, json.dumps(error).encode())
                    return
                answer = stand_in._call(method, *_parsed(self.headers["content-type"] or "", body))
                if answer is None:
                    self._break()
                else:
                    self._send(answer[0], json.dumps(answer[1]).encode())

            def _send(self, status, data):
                self.send_response(status)
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def _break(self):
                self.close_connection = True
                self.connection.close()

        return Handler


def _parsed(content_type, body):
    """The parameters of a form, and the files in it."""
    if not content_type.startswith("multipart/"):
        form = parse_qs(body.decode(), keep_blank_values=True)
        return {name: values[0] for name, values in form.items()}, {}
    head = f"content-type: {content_type}\r\n\r\n".encode()
    parts = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + body).iter_parts()
    given, files = {}, {}
    for part in parts:
        name = part.get_param("name", header="content-disposition")
        data = part.get_payload(decode=True)
        if part.get_filename():
            files[name] = data
        else:
            given[name] = data.decode()
    return given, files


def _entities(text):
    """The commands and mentions in a text, as Telegram marks them."""
    found, start = [], 0
    for word in text.split(" "):
        kind = {"/": "bot_command", "@": "mention"}.get(word[:1])
        if kind:
            found.append({"type": kind, "offset": start, "length": len(word)})
        start += len(word) + 1
    return found
