"""Passwords as Argon2id hashes, computed beside the event loop and only a few at a time."""

import asyncio
import secrets
from functools import cached_property

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_AT_ONCE = 2  # each takes 64 MiB and a core


class Passwords:
    """Hashes and verifies; argon2-cffi's defaults are RFC 9106's second recommendation."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._slots = asyncio.Semaphore(_AT_ONCE)

    @cached_property
    def _nobodys(self) -> str:
        return self._hasher.hash(secrets.token_hex(16))

    async def hash(self, password: str) -> str:
        async with self._slots:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def verify(self, stored: str | None, password: str) -> bool:
        """Compare; None for an unknown account takes as long and is never right."""
        async with self._slots:
            right = await asyncio.to_thread(self._compare, stored, password)
        return right and stored is not None

    def _compare(self, stored: str | None, password: str) -> bool:
        # Looked at whoever asks, since it is made at the first comparison: no name may be slower than another.
        nobodys = self._nobodys
        return self._right(stored or nobodys, password)

    def _right(self, stored: str, password: str) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return False
