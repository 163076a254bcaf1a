"""HTTP connections that can be cut from outside while a call uses them. Knows urllib3; knows nothing of the API."""

from __future__ import annotations

import socket
from contextlib import suppress
from functools import partial
from typing import Any

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection

from ...config.proxies import Proxy


class Line:
    """The open connections of one pool. After `cut`, every call that uses one fails soon, wherever it hangs."""

    def __init__(self) -> None:
        self._handles: set[socket.socket] = set()
        self._is_cut = False

    def keep(self, handle: socket.socket) -> None:
        """The connection is cut with the others, or at once if they have been cut already."""
        self._handles.add(handle)
        if self._is_cut:
            self.cut()

    def drop(self, handle: socket.socket) -> None:
        """The connection has been closed."""
        self._handles.discard(handle)
        handle.close()

    def cut(self) -> None:
        """No byte goes over any of these connections any more, nor over those that are made later."""
        self._is_cut = True
        for handle in tuple(self._handles):
            with suppress(OSError):
                handle.shutdown(socket.SHUT_RDWR)


class Cuttable(HTTPConnection):
    """A connection of a line.

    A second descriptor of the socket reaches the connection in every state, also during the TLS handshake, when the
    library has put the socket into another object.
    """

    _handle: socket.socket | None = None

    def __init__(self, *arguments: Any, line: Line, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._line = line

    def _new_conn(self) -> socket.socket:
        made = super()._new_conn()
        self._handle = made.dup()
        self._line.keep(self._handle)
        return made

    def close(self) -> None:
        """The connection is closed, with both of its descriptors."""
        super().close()
        handle, self._handle = self._handle, None
        if handle is not None:
            self._line.drop(handle)


class CuttableTls(Cuttable, HTTPSConnection):
    """The same over TLS."""


class _Pool(urllib3.HTTPConnectionPool):
    ConnectionCls = Cuttable


class _TlsPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = CuttableTls


def pool_of(line: Line, proxy: Proxy | None = None) -> urllib3.PoolManager:
    """A pool that keeps one connection of this line open, through a proxy if there is one."""
    pool = plain_pool(proxy, maxsize=1)
    kinds = {"http": partial(_Pool, line=line), "https": partial(_TlsPool, line=line)}
    pool.pool_classes_by_scheme = kinds  # type: ignore[assignment]  # urllib3 only calls them
    return pool


def plain_pool(proxy: Proxy | None, **options: Any) -> urllib3.PoolManager:
    """A pool that sends nothing twice, through a proxy if there is one."""
    if proxy is None:
        return urllib3.PoolManager(retries=False, **options)
    login = urllib3.make_headers(proxy_basic_auth=proxy.login) if proxy.login else None
    return urllib3.ProxyManager(proxy.address, proxy_headers=login, retries=False, **options)
