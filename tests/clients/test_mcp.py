"""RunPod's MCP server against the simulator, unchanged: its tools about pods, over its own protocol."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from runpod_sim.simulator import MCP_NAMES
from tests.simulator.conftest import Sim

from .conftest import installed

pytestmark = [pytest.mark.clients, pytest.mark.timeout(600)]
PACKAGE = "@runpod/mcp-server@4.0.0"


@dataclass
class Server:
    """A running MCP server: JSON-RPC by line on its standard input and output."""

    process: subprocess.Popen[str]
    asked: int = 0

    def ask(self, method: str, **params: Any) -> Any:
        """The result of one call."""
        assert self.process.stdin is not None and self.process.stdout is not None
        self.asked += 1
        request = {"jsonrpc": "2.0", "id": self.asked, "method": method, "params": params}
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        for line in self.process.stdout:
            answer = json.loads(line)
            if answer.get("id") == self.asked:
                assert "error" not in answer, answer
                return answer["result"]
        raise AssertionError("the server has ended")

    def tool(self, name: str, **arguments: Any) -> Any:
        """What the tool answers, as JSON if it is."""
        result = self.ask("tools/call", name=name, arguments=arguments)
        text = result["content"][0]["text"]
        assert not result.get("isError"), (name, text)
        return json.loads(text) if text.lstrip().startswith(("{", "[")) else text


@pytest.fixture
def server(sim: Sim, pytestconfig: pytest.Config) -> Iterator[Server]:
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("no node and npm here")
    assert pytestconfig.cache is not None
    folder = installed(
        pytestconfig.cache.mkdir("client-mcp-4.0.0"),
        [["npm", "install", "--no-audit", "--no-fund", "--prefix", ".", PACKAGE]],
    )
    argv = ["node", str(folder / "node_modules/@runpod/mcp-server/dist/stdio.mjs")]
    graphql = dict.fromkeys(MCP_NAMES, f"{sim.url}/graphql")
    exports = graphql | {"RUNPOD_API_KEY": sim.key, "RUNPOD_API_BASE_URL": sim.url}
    with subprocess.Popen(
        argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        env=os.environ | exports,
    ) as process:  # fmt: skip
        started = Server(process)
        started.ask(
            "initialize", protocolVersion="2024-11-05", capabilities={}, clientInfo={"name": "tests", "version": "1"}
        )
        yield started
        process.terminate()


def test_every_tool_about_pods_works(sim: Sim, server: Server) -> None:
    tools = {tool["name"] for tool in server.ask("tools/list")["tools"]}
    assert {"create-pod", "pod-action", "list-gpu-types"} <= tools
    for name in ("list-pods", "list-gpu-types", "list-cpu-types", "list-data-centers", "list-network-volumes"):
        server.tool(name)
    for name in ("list-registries", "get-ssh-keys", "list-public-templates", "list-billing", "list-pod-billing"):
        server.tool(name)
    assert "A40" in str(server.tool("get-capacity"))
    assert "A40" in str(server.tool("get-capacity", cudaVersions=["12.8"]))
    body = sim.body()
    pod = server.tool("create-pod", body=body)
    assert server.tool("get-pod", id=pod["id"])["name"] == body["name"]
    server.tool("update-pod", id=pod["id"], body={"name": "other"})
    server.tool("pod-action", id=pod["id"], body={"action": "stop"})
    sim.until(lambda: sim.pod(pod)["status"] == "EXITED")
    server.tool("delete-pod", id=pod["id"])
    assert sim.call("GET", f"/v2/pods/{pod['id']}").status == 404
