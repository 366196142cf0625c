"""A commit wakes the workers of its host: one datagram to a socket file; the poll is the fallback."""

import asyncio
import contextlib
import socket
from pathlib import Path


class Waker:
    """Sends the wake-up; silent when nobody listens, since the poll will find the row anyway."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) if path else None
        if self._socket:
            self._socket.setblocking(False)  # noqa: FBT003 - the socket API's own word

    def __call__(self) -> None:
        if self._socket and self._path:
            with contextlib.suppress(OSError):
                self._socket.sendto(b"!", str(self._path))

    def close(self) -> None:
        if self._socket:
            self._socket.close()


class Alarm(asyncio.DatagramProtocol):
    """The worker's end: `wait` returns at a wake-up, or after `seconds`."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def datagram_received(self, data: bytes, addr: object) -> None:  # noqa: ARG002 - the protocol's signature
        self._event.set()

    def ring(self) -> None:
        """Wake from inside the process."""
        self._event.set()

    async def wait(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._event.wait(), timeout=seconds)
        self._event.clear()

    async def listen(self, path: Path) -> asyncio.BaseTransport:
        """Take over `path`, whoever had it before."""
        _make_way(path)
        loop = asyncio.get_running_loop()
        receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        receiver.setblocking(False)  # noqa: FBT003 - the socket API's own word
        receiver.bind(str(path))
        transport, _ = await loop.create_datagram_endpoint(lambda: self, sock=receiver)
        return transport


def _make_way(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
