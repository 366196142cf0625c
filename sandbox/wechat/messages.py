"""Subscription messages: what residents accepted, what was sent to them."""

import re
from collections import Counter
from typing import Any

from sanic import Request

from sandbox.answers import Answer, read_object
from sandbox.books import Books
from sandbox.clock import Clock
from sandbox.credentials import Keys
from sandbox.people import People
from sandbox.wechat.keywords import first_bad_field
from sandbox.wechat.refusals import accepted, refuse
from sandbox.wechat.tokens import Tokens

_PAGE = re.compile(r"[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*(\?[^\s]*)?")
_STATES = {"developer", "trial", "formal"}


class Messages:
    def __init__(self, *, keys: Keys, clock: Clock, books: Books, people: People, tokens: Tokens) -> None:
        self._clock = clock
        self._books = books
        self._people = people
        self._tokens = tokens
        self._names = {template_id: name for name, template_id in keys.templates.items()}
        self._accepts: Counter[tuple[str, str]] = Counter()
        self._sent: list[dict[str, Any]] = list(books.read("messages"))

    def knows(self, template_id: str) -> bool:
        return template_id in self._names

    def accept(self, openid: str, template_id: str, times: int) -> int:
        """The resident tapped "allow" so many times; returns how many messages may now be sent."""
        self._accepts[openid, template_id] += times
        return self._accepts[openid, template_id]

    def sent_to(self, openid: str | None) -> list[dict[str, Any]]:
        """Messages in the order sent, to one person or (None) to all."""
        return [each for each in self._sent if openid in {None, each["openid"]}]

    def send(self, request: Request) -> Answer:
        """POST /cgi-bin/message/subscribe/send: one accept is spent by one message that goes out."""
        self._tokens.check(request)
        asked = read_object(request)
        if asked is None:
            raise refuse(47001)
        openid, template_id = asked.get("touser"), asked.get("template_id")
        if not isinstance(openid, str) or self._people.by_openid(openid) is None:
            raise refuse(40003)
        if not isinstance(template_id, str) or not self.knows(template_id):
            raise refuse(40037)
        _check_content(asked)
        if self._accepts[openid, template_id] == 0:
            raise refuse(43101)
        self._accepts[openid, template_id] -= 1
        return accepted(msgid=self._keep(openid, template_id, asked))

    def _keep(self, openid: str, template_id: str, asked: dict[str, Any]) -> int:
        number = 3_000_000_000_000_000_000 + len(self._sent)
        message = {
            "at": self._clock.beijing(),
            "msgid": number,
            "openid": openid,
            "template": self._names[template_id],
            "template_id": template_id,
            "page": asked.get("page"),
            "data": {field: holder["value"] for field, holder in asked["data"].items()},
        }
        self._sent.append(message)
        self._books.write("messages", message)
        return number


def _check_content(asked: dict[str, Any]) -> None:
    page = asked.get("page")
    if page is not None and not (isinstance(page, str) and _PAGE.fullmatch(page)):
        raise refuse(41030)
    if asked.get("miniprogram_state", "formal") not in _STATES:
        raise refuse(47003, "miniprogram_state")
    bad = first_bad_field(asked.get("data"))
    if bad is not None:
        raise refuse(47003, f"{bad} is invalid")
