"""A server of plain streams in a test's own loop, which leaves no connection behind."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def turns() -> None:
    """Let the loop go round: who has been let in becomes a connection, what was closed gives its socket back."""
    for _ in range(3):
        await asyncio.sleep(0)


@asynccontextmanager
async def listening(serve: Serve) -> AsyncIterator[str]:
    """Serve each connection with `serve`; gives the base URL. Whoever is connected at the end is cut off.

    `serve` may end with the caller's hanging up; it has to wait for nothing but its own connection.
    """
    served: dict[asyncio.Task[None] | None, asyncio.StreamWriter] = {}

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        served[task] = writer
        try:
            await serve(reader, writer)
        except (EOFError, ConnectionError):
            return
        finally:
            writer.transport.abort()  # of no account where `serve` has closed it
            served.pop(task)

    server = await asyncio.start_server(one, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        await turns()
        left = [task for task in served if task]
        for writer in served.values():
            writer.transport.abort()
        await asyncio.gather(*left)
        await turns()
