"""Subscription messages: what residents accepted, once or for good, and what was sent to them.

Alipay does not publish every sub_code of these interfaces. For a resident who has accepted nothing this side answers
USER_NOT_SUBSCRIBE, for an unknown template TEMPLATE_NOT_EXIST, for keywords that differ TEMPLATE_PARAM_ILLEGAL.
"""

import json
from collections import Counter
from typing import Any

from sandbox.alipay.gateway import Call
from sandbox.alipay.refusals import failed
from sandbox.books import Books
from sandbox.clock import Clock
from sandbox.credentials import Keys
from sandbox.people import People, Person

# 业务, 编号, 状态, 时间, 提示: the same keywords in every template.
KEYWORDS = ("keyword1", "keyword2", "keyword3", "keyword4", "keyword5")
# What a government office may be subscribed to for good; every other template is accepted for one message.
LONG_TERM = frozenset({"case_accepted", "case_entered", "correction_asked", "certificate_ready"})
MOST_AT_ONCE = 3
_LONGEST_DATA, _LONGEST_PAGE = 2048, 128


class Messages:
    def __init__(self, *, keys: Keys, clock: Clock, books: Books, people: People) -> None:
        self._clock = clock
        self._books = books
        self._people = people
        self._names = {template_id: name for name, template_id in keys.alipay_templates.items()}
        self._once: Counter[tuple[str, str]] = Counter()
        self._for_good: set[tuple[str, str]] = set()
        self._sent: list[dict[str, Any]] = list(books.read("alipay_messages"))

    def templates(self) -> list[dict[str, Any]]:
        return [
            {"template": name, "template_id": template_id, "subscribe_type": self._type(template_id)}
            for template_id, name in self._names.items()
        ]

    def subscribe(self, person: Person, template_ids: list[str], *, accept: bool) -> str | None:
        """`my.requestSubscribeMessage`: None, or why the phone shows nothing."""
        if not template_ids or len(template_ids) > MOST_AT_ONCE:
            return "entityIds: one to three"
        if any(each not in self._names for each in template_ids):
            return "entityIds: unknown template"
        if len({self._type(each) for each in template_ids}) > 1:
            return "entityIds: one-time and long-term templates cannot be asked for together"
        for each in template_ids:
            self._note(person.key, each, accept=accept)
        return None

    def sent_to(self, person: str | None) -> list[dict[str, Any]]:
        """Messages in the order sent, to one person (by key) or (None) to all."""
        return [each for each in self._sent if person in {None, each["person"]}]

    def send(self, call: Call) -> dict[str, Any]:
        """alipay.open.app.mini.templatemessage.send: a one-time accept is spent by a message that goes out."""
        biz = call.biz
        person = self._addressee(biz, "to_open_id", "to_user_id")
        template_id = str(biz.get("user_template_id"))
        if template_id not in self._names:
            raise failed("TEMPLATE_NOT_EXIST", "模板不存在")
        page = biz.get("page")
        if not isinstance(page, str) or not 1 <= len(page) <= _LONGEST_PAGE:
            raise failed("INVALID_PARAMETER", "参数有误：page")
        values = _values(biz.get("data"))
        accepted = (person.key, template_id)
        if accepted not in self._for_good:
            if self._once[accepted] == 0:
                raise failed("USER_NOT_SUBSCRIBE", "用户未订阅该消息")
            self._once[accepted] -= 1
        self._keep(person, template_id, page, values)
        return {}

    def query(self, call: Call) -> dict[str, Any]:
        """alipay.open.app.messagetemplate.subscribe.query: subscribe_state "1" while a message may be sent."""
        person = self._addressee(call.biz, "open_id", "user_id")
        asked = call.biz.get("template_id_list")
        if not isinstance(asked, list) or not 1 <= len(asked) <= MOST_AT_ONCE:
            raise failed("INVALID_PARAMETER", "参数有误：template_id_list")
        if any(each not in self._names for each in asked):
            raise failed("TEMPLATE_NOT_EXIST", "模板不存在")
        relations = [
            {
                "template_id": each,
                "subscribe_type": self._type(each),
                "subscribe_state": "1" if self._may_send(person.key, each) else "0",
                "keep_state": "0",
                "show": True,
            }
            for each in asked
        ]
        return {"show_component": True, "subscribe_relations": relations}

    def _addressee(self, biz: dict[str, Any], *names: str) -> Person:
        address = next((str(biz[name]) for name in names if biz.get(name)), "")
        person = self._people.by_alipay(address)
        if person is None:
            raise failed("USER_NOT_EXIST", "用户不存在")
        return person

    def _type(self, template_id: str) -> str:
        return "longterm" if self._names[template_id] in LONG_TERM else "onetime"

    def _note(self, person: str, template_id: str, *, accept: bool) -> None:
        if self._type(template_id) == "onetime":
            self._once[person, template_id] += accept
        elif accept:
            self._for_good.add((person, template_id))
        else:
            self._for_good.discard((person, template_id))

    def _may_send(self, person: str, template_id: str) -> bool:
        return (person, template_id) in self._for_good or self._once[person, template_id] > 0

    def _keep(self, person: Person, template_id: str, page: str, values: dict[str, str]) -> None:
        message = {
            "at": self._clock.beijing(),
            "person": person.key,
            "template": self._names[template_id],
            "template_id": template_id,
            "page": page,
            "data": values,
        }
        self._sent.append(message)
        self._books.write("alipay_messages", message)


def _values(data: Any) -> dict[str, str]:
    """The text of each keyword; `data` is JSON inside the JSON, with exactly the template's keywords."""
    if not isinstance(data, str) or len(data) > _LONGEST_DATA:
        raise failed("INVALID_PARAMETER", "参数有误：data")
    try:
        holders = json.loads(data)
    except ValueError:
        raise failed("INVALID_PARAMETER", "参数有误：data") from None
    if not isinstance(holders, dict) or holders.keys() != set(KEYWORDS):
        raise failed("TEMPLATE_PARAM_ILLEGAL", "模板关键词不匹配")
    values = {name: each.get("value") if isinstance(each, dict) else None for name, each in holders.items()}
    for name, value in values.items():
        if not isinstance(value, str) or not value.strip():
            raise failed("TEMPLATE_PARAM_ILLEGAL", f"模板关键词有误：{name}")
    return {name: str(value) for name, value in values.items()}
