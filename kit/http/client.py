import asyncio
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import httpx
from prometheus_client import Counter, Histogram

from kit.db import in_transaction
from kit.errors import OutsideError
from kit.log import current_request_id

_CALLS = Counter("outside_calls_total", "Calls to outside systems", ["system", "result"])
_SECONDS = Histogram("outside_call_seconds", "Duration of calls to outside systems", ["system"])


class HttpClient:
    """Calls one outside system: a timeout always, at most `limit` calls at once, never inside a transaction."""

    def __init__(self, system: str, *, timeout: float = 10.0, limit: int = 32) -> None:
        """`timeout` in seconds for the whole exchange; `limit` concurrent calls, others wait within the timeout."""
        self.system = system
        self._timeout = timeout
        self._slots = asyncio.Semaphore(limit)
        self._client = httpx.AsyncClient(
            timeout=timeout,
            limits=httpx.Limits(max_connections=limit),
            # A redirect would carry a credential to whoever is named; a proxy of the environment would see it.
            follow_redirects=False,
            trust_env=False,
        )

    async def request(
        self,
        method: str,
        url: str,
        *,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """Send one request; OutsideError (transient) when the other side is down or too slow, whatever it would say.

        A status of 400 and above is an answer, not an error: the adapter knows what it means.
        """
        if in_transaction():
            raise RuntimeError(f"no call to {self.system} while a transaction is open")
        request_id = current_request_id()
        merged = {**({"X-Request-Id": request_id} if request_id else {}), **(headers or {})}
        with self._counted():
            async with asyncio.timeout(self._timeout), self._slots:
                answer = await self._client.request(method, url, content=content, headers=merged, params=params or None)
        _CALLS.labels(self.system, f"{answer.status_code // 100}xx").inc()
        return answer

    async def reach(self, url: str) -> None:
        """See that somebody answers there, whatever they say; OutsideError when nobody does."""
        await self.request("HEAD", url)

    async def download(
        self, url: str, *, most_bytes: int, headers: Mapping[str, str] | None = None
    ) -> tuple[int, bytes]:
        """GET a file as it is sent; its status and bytes. OutsideError as of `request`, permanent TOO_LARGE beyond.

        The limit counts what arrives, whatever the other side says of the length; `timeout` is for all of it.
        """
        if in_transaction():
            raise RuntimeError(f"no call to {self.system} while a transaction is open")
        # Compressed on the way, a small answer could become a large one in our memory.
        merged = {**(headers or {}), "Accept-Encoding": "identity"}
        content = bytearray()
        with self._counted():
            async with (
                asyncio.timeout(self._timeout),
                self._slots,
                self._client.stream("GET", url, headers=merged) as answer,
            ):
                async for chunk in answer.aiter_raw():
                    content += chunk
                    if len(content) > most_bytes:
                        raise OutsideError(self.system, "TOO_LARGE", "the file is larger than allowed", permanent=True)
        _CALLS.labels(self.system, f"{answer.status_code // 100}xx").inc()
        return answer.status_code, bytes(content)

    @contextmanager
    def _counted(self) -> Iterator[None]:
        """Measures an exchange, and says what became of it when no answer came."""
        started = time.monotonic()
        try:
            yield
        # `from None`: the library's errors hold the request, whose address may hold a credential.
        except (httpx.TimeoutException, TimeoutError):
            _CALLS.labels(self.system, "timeout").inc()
            raise OutsideError(self.system, "TIMEOUT", "no answer in time", permanent=False) from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            _CALLS.labels(self.system, "unreachable").inc()
            raise OutsideError(self.system, "UNREACHABLE", type(error).__name__, permanent=False) from None
        finally:
            _SECONDS.labels(self.system).observe(time.monotonic() - started)

    async def aclose(self) -> None:
        await self._client.aclose()
