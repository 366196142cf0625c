"""The sandbox's control desk: what people's fingers and faces do, and what the partners have on their books."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from sandbox.phones.journey import NotAsItShould


class OutsideWorld:
    """`directory` is the sandbox's own, where its books are read from."""

    def __init__(self, url: str, directory: Path) -> None:
        self._http = httpx.Client(base_url=f"{url}/_control", timeout=30, trust_env=False)
        self._books = directory / "books"

    def close(self) -> None:
        self._http.close()

    def do(self, path: str, **form: Any) -> dict[str, Any]:
        """POST to the desk; NotAsItShould with what it says when it refuses."""
        return self._answer("POST", path, json=form)

    def end_faults(self) -> None:
        """Whatever went wrong on order goes right again."""
        self._answer("DELETE", "/faults")

    def look(self, path: str, **query: str) -> list[dict[str, Any]]:
        """The items of a list at the desk."""
        items: list[dict[str, Any]] = self._answer("GET", path, params=query)["items"]
        return items

    def book(self, name: str) -> Iterator[dict[str, Any]]:
        """The entries of one of the partners' journals."""
        path = self._books / f"{name}.jsonl"
        if path.exists():
            # Bytes first: the partner may be in the middle of the last line, which counts once it ends.
            written = path.read_bytes()
            yield from map(json.loads, written[: written.rfind(b"\n") + 1].splitlines())

    def _answer(self, method: str, path: str, **more: Any) -> dict[str, Any]:
        try:
            answer = self._http.request(method, path, **more)
        except httpx.HTTPError as error:
            raise NotAsItShould(f"the sandbox does not answer {method} {path}: {error}") from error
        if answer.status_code != httpx.codes.OK:
            raise NotAsItShould(f"the sandbox answered {answer.request.url.path} with {answer.text[:300]}")
        found: dict[str, Any] = answer.json()
        return found
