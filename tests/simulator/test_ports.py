"""Ports of simulators and their pods: nobody else can take one between its choice and its use."""

from __future__ import annotations

import socket

import pytest

from runpod_sim.containers.ports import Port
from runpod_sim.simulator import HOST, server_socket


def can_be_bound(port: int) -> bool:
    """Whether another program gets the port, even one that shares its own."""
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            other.bind((HOST, port))
        except OSError:
            return False
    return True


def test_the_port_of_the_api_belongs_to_one_simulator() -> None:
    with server_socket(0) as first:
        port = first.getsockname()[1]
        assert not can_be_bound(port)
        with pytest.raises(OSError, match="in use"):
            server_socket(port)
    assert can_be_bound(port)


def test_the_port_of_a_pod_belongs_to_it_before_it_listens() -> None:
    own = Port()
    port = own.reserve()
    assert not can_be_bound(port)
    own.release()
    assert can_be_bound(port)


def test_a_resumed_pod_gets_another_port() -> None:
    own = Port()
    former = own.reserve()
    own.renew()
    assert own.reserve() == own.number != former
    assert can_be_bound(former)
    own.release()
