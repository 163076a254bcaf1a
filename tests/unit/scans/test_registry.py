"""The image's tag, asked of a registry that is a local server."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from runpod_deploy.scans.registry import Image, check_image, parse_image

from .conftest import PLAIN, Project


class Hub(BaseHTTPRequestHandler):
    """Knows one image."""

    asked: list[str] = []  # noqa: RUF012 - one server a test

    def do_HEAD(self) -> None:
        self.asked.append(self.path)
        if "drips" in self.path:
            self.drip()
            return
        known = {"/v2/repositories/library/ubuntu/tags/24.04": 200, "/v2/repositories/acme/busy/tags/latest": 429}
        self.send_response(known.get(self.path, 404))
        self.end_headers()

    def drip(self) -> None:
        """Sends a header that never ends, until nobody reads it any more."""
        with suppress(OSError):
            self.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
            while True:
                self.wfile.write(b"x")
                time.sleep(0.05)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the server's own name
        """Keeps quiet."""


@pytest.fixture
def hub() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Hub) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()
    Hub.asked.clear()


@pytest.mark.parametrize(
    ("image", "level", "words"),
    [
        ("ubuntu:24.04", "note", "Docker Hub has library/ubuntu:24.04"),
        ("docker.io/ubuntu:24.04", "note", "Docker Hub has library/ubuntu:24.04"),
        ("ubuntu:99", "warning", "Docker Hub has no library/ubuntu:99"),
        ("acme/train", "warning", "Docker Hub has no acme/train:latest"),
        ("acme/busy", "note", "not checked: Docker Hub answered 429"),
        ("ghcr.io/acme/x:1", "note", "not checked: ghcr.io is not Docker Hub"),
        ("localhost:5000/x", "note", "not checked: localhost:5000 is not Docker Hub"),
        ("ubuntu@sha256:00", "note", "not checked: the image is given by its digest"),
    ],
)
def test_tags(project: Project, hub: str, image: str, level: str, words: str) -> None:
    finding = check_image(project(pod={**PLAIN["pod"], "image": image}), hub)
    assert (finding.level, finding.message, finding.path) == (level, words, "pod.image")
    assert len(Hub.asked) == ("Docker Hub" in words and "is not Docker Hub" not in words)


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "nonsense://x", "http://[bad"])
def test_a_registry_that_cannot_be_reached_is_a_note(project: Project, url: str) -> None:
    finding = check_image(project(), url)
    assert finding.level == "note"
    assert finding.message.startswith("not checked: Docker Hub could not be reached")


@pytest.mark.parametrize(
    ("text", "image"),
    [
        ("a", Image("docker.io", "library/a", "latest")),
        ("a/b:c", Image("docker.io", "a/b", "c")),
        ("host:5000/a/b", Image("host:5000", "a/b", "latest")),
        ("quay.io/a/b:c@sha256:0", Image("quay.io", "a/b", "")),
    ],
)
def test_references_are_taken_apart(text: str, image: Image) -> None:
    assert parse_image(text) == image


def test_an_answer_that_drips_is_left(project: Project, hub: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runpod_deploy.scans.registry.TIMEOUT_S", 0.2)
    finding = check_image(project(pod={**PLAIN["pod"], "image": "acme/drips"}), hub)
    assert (finding.level, finding.message) == ("note", "not checked: Docker Hub could not be reached (TimeoutError)")
