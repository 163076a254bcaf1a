"""Servers that play Weights & Biases and Hugging Face: as much of their interfaces as their own clients need here."""

from __future__ import annotations

import base64
import hashlib
import json
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

COMMIT = "c" * 40
MODEL = {"config.json": b'{"model_type": "tiny"}\n', "model.safetensors": b"weights " * 100}


class Hub(ThreadingHTTPServer):
    """A server on a free port of loopback, and everything that it was asked."""

    daemon_threads = True

    def __init__(self, handler: type[Handler], key: str) -> None:
        super().__init__(("127.0.0.1", 0), handler)
        self.key = key
        """Only requests with it are answered."""
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.asked: list[str] = []
        """Method and path of each request, in order."""
        self.received: dict[str, Any] = {}
        """What was uploaded, by its name."""

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no error; anything else is printed."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class Handler(BaseHTTPRequestHandler):
    """An answer to each request, which a subclass gives for its method, path and body."""

    protocol_version = "HTTP/1.1"
    server: Hub

    def log_message(self, *_: object) -> None:
        """Nothing is printed."""

    def any_method(self) -> None:
        """The request is noted, and answered if it has the key."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = self.path.partition("?")[0]
        self.server.asked.append(f"{self.command} {path}")
        if self.is_let_in(path):
            self.reply(200, self.answer(path, body))
        else:
            self.reply(401, {"error": "wrong key"})

    do_GET = do_HEAD = do_POST = do_PUT = any_method

    def is_let_in(self, path: str) -> bool:
        """Whether the request has the key, or needs none."""
        raise NotImplementedError

    def answer(self, path: str, body: bytes) -> Any:
        """The answer as JSON, or as a file's bytes."""
        raise NotImplementedError

    def reply(self, status: int, answer: Any) -> None:
        """The answer is sent."""
        data = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Content-Type", "application/json")
        if isinstance(answer, bytes):
            self.send_header("ETag", f'"{hashlib.sha1(data).hexdigest()}"')
            self.send_header("X-Repo-Commit", COMMIT)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)


class WandB(Handler):
    """Weights & Biases: who has the key, a run's page, the rows of its history, its files."""

    def is_let_in(self, path: str) -> bool:
        wanted = base64.b64encode(f"api:{self.server.key}".encode()).decode()
        return "graphql" not in path or self.headers.get("Authorization") == f"Basic {wanted}"

    def answer(self, path: str, body: bytes) -> Any:
        if path == "/graphql":
            asked = json.loads(body)
            return {"data": self.data(asked["query"], asked.get("variables") or {})}
        if path.endswith("/file_stream"):
            for name, chunk in json.loads(body).get("files", {}).items():
                self.server.received.setdefault(f"rows of {name}", []).extend(chunk["content"])
        elif self.command == "PUT":
            self.server.received[path.rpartition("/")[2]] = body
        return {}

    def data(self, query: str, given: dict[str, Any]) -> dict[str, Any]:
        """The answer to one query of GraphQL."""
        if "viewer" in query:
            return {"viewer": {"id": "u", "entity": "me", "username": "me", "flags": "{}", "teams": {"edges": []}}}
        if "upsertBucket" in query:
            project = {"name": given.get("project") or "digits", "entity": {"name": "me"}}
            run = {"id": "b", "name": given.get("name"), "displayName": "x", "project": project, "historyLineCount": 0}
            return {"upsertBucket": {"bucket": run, "inserted": True}}
        if "createRunFiles" in query:
            places = [{"name": name, "uploadUrl": f"{self.server.url}/files/{name}"} for name in given["files"]]
            return {"createRunFiles": {"runID": "b", "uploadHeaders": [], "files": places}}
        return {}


class HuggingFace(Handler):
    """Hugging Face: who has the token, the files of one model, and a commit to another one."""

    def is_let_in(self, path: str) -> bool:
        return path == "/api/agent-harnesses" or self.headers.get("Authorization") == f"Bearer {self.server.key}"

    def answer(self, path: str, body: bytes) -> Any:
        if "/resolve/" in path:
            return MODEL[path.rpartition("/")[2]]
        if "/tree/" in path:
            return [{"type": "file", "path": name, "size": len(data), "oid": "o"} for name, data in MODEL.items()]
        if "/preupload/" in path:
            names = [file["path"] for file in json.loads(body)["files"]]
            return {"files": [{"path": name, "uploadMode": "regular", "shouldIgnore": False} for name in names]}
        if "/commit/" in path:
            self.keep([json.loads(line) for line in body.splitlines()])
        return self.facts(path)

    def keep(self, rows: list[dict[str, Any]]) -> None:
        """The files of a commit are received."""
        files = [row["value"] for row in rows if row["key"] == "file"]
        self.server.received.update({file["path"]: base64.b64decode(file["content"]) for file in files})

    def facts(self, path: str) -> dict[str, Any]:
        """The answer about an account, a model or a commit."""
        if path == "/api/whoami-v2":
            token = {"displayName": "test", "role": "write"}
            return {"type": "user", "name": "me", "orgs": [], "auth": {"accessToken": token}}
        if "/commit/" in path:
            return {"success": True, "commitUrl": f"{self.server.url}/me/tuned/commit/{COMMIT}", "commitOid": COMMIT}
        if path == "/api/repos/create":
            return {"url": f"{self.server.url}/me/tuned", "name": "me/tuned"}
        return {"id": "base/model", "sha": COMMIT, "siblings": [{"rfilename": name} for name in MODEL]}


@contextmanager
def hub(handler: type[Handler], key: str) -> Iterator[Hub]:
    """Such a server, which ends with the block."""
    server = Hub(handler, key)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
