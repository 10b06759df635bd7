"""A stand-in for a server of Qdrant: its REST calls that penult makes, on the client's local mode.

It shows that addresses, JSON and errors go over HTTP; how a server searches, it does not.
"""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from pydantic import TypeAdapter
from qdrant_client import QdrantClient, models

LIMIT = 32 << 20  # bytes of a request, as a server has it
_LOCK = threading.Lock()


@contextmanager
def serving(*, api_key="", knows_metadata=True, nonsense=False):
    """Serve an empty database; gives its address and the paths that are asked for."""
    qdrant, asked = QdrantClient(":memory:"), []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_):
            pass

        def answer(self):
            length = int(self.headers.get("content-length") or 0)
            body = json.loads(self.rfile.read(length) or b"{}")
            path = self.path.partition("?")[0]
            asked.append(f"{self.command} {path}")
            if api_key and self.headers.get("api-key") != api_key:
                return self.send(403, {"status": {"error": "forbidden"}})
            if length > LIMIT:
                return self.send(413, {"status": {"error": "payload too large"}})
            if nonsense:
                return self.send(200, {"hello": "world"})
            try:
                with _LOCK:
                    found = _answer(qdrant, self.command, path, body, knows_metadata)
            except ValueError as error:
                return self.send(404, {"status": {"error": str(error)}})
            return self.send(200, {"result": found, "status": "ok", "time": 0.0})

        do_GET = do_PUT = do_POST = do_PATCH = do_DELETE = answer  # noqa: N815

        def send(self, status, told):
            data = json.dumps(told).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _answer(qdrant, method, path, body, knows_metadata):
    _, _, name, *rest = path.split("/")
    body = _parsed(method, rest, body)
    if (method, rest) == ("PUT", []) and not knows_metadata:
        body.metadata = None
    given = {key: getattr(body, key) for key in getattr(body, "model_fields_set", ())}
    match method, *rest:
        case "GET", "exists":
            return {"exists": qdrant.collection_exists(name)}
        case ["GET"]:
            return _plain(qdrant.get_collection(name))
        case ["PUT"]:
            vectors, metadata = body.vectors, body.metadata
            return qdrant.create_collection(name, vectors_config=vectors, metadata=metadata)
        case ["PATCH"]:
            return qdrant.update_collection(
                name, metadata=body.metadata, vectors_config=body.vectors
            )
        case ["DELETE"]:
            return qdrant.delete_collection(name)
        case "PUT", "index":
            return _updated()
        case "PUT", "points":
            qdrant.upsert(name, body.points)
            return _updated()
        case "POST", "points":
            found = qdrant.retrieve(name, body.ids, body.with_payload, body.with_vector or False)
            return [_plain(one) for one in found]
        case "POST", "points", "scroll":
            given["scroll_filter"] = given.pop("filter", None)
            given["with_vectors"] = given.pop("with_vector", None) or False
            points, offset = qdrant.scroll(name, **given)
            return {"points": [_plain(one) for one in points], "next_page_offset": offset}
        case "POST", "points", "count":
            return _plain(qdrant.count(name, body.filter))
        case "POST", "points", "query", "batch":
            return [_plain(one) for one in qdrant.query_batch_points(name, body.searches)]
        case "POST", "points", "delete":
            qdrant.delete(name, body)
            return _updated()
        case "POST", "points", "batch":
            qdrant.batch_update_points(name, body.operations)
            return [_updated() for _ in body.operations]
    raise ValueError(f"no stand-in for {method} {path}")


_BODIES = {
    ("PUT",): models.CreateCollection,
    ("PATCH",): models.UpdateCollection,
    ("PUT", "points"): models.PointsList,
    ("POST", "points"): models.PointRequest,
    ("POST", "points", "scroll"): models.ScrollRequest,
    ("POST", "points", "count"): models.CountRequest,
    ("POST", "points", "query", "batch"): models.QueryRequestBatch,
    ("POST", "points", "delete"): models.PointIdsList,
    ("POST", "points", "batch"): models.UpdateOperations,
}


def _parsed(method, rest, body):
    kind = _BODIES.get((method, *rest))
    return body if kind is None else TypeAdapter(kind).validate_python(body)


def _plain(model):
    return json.loads(model.model_dump_json())


def _updated():
    return {"operation_id": 0, "status": "completed"}
