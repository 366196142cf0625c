"""Messages of the resident, and which of them their wallet may show as well."""

from typing import Annotated, Any, Literal

from pydantic import Field
from sanic import Blueprint

from kit.clock import rfc3339
from kit.web.access import resident
from kit.web.edge import Call, Edge
from kit.web.pages import Page
from kit.web.routes import Routes
from kit.web.validation import Answer, Empty, Input
from notifications import errors, queries, service
from notifications.queries import MessageView
from notifications.rules import WECHAT
from server.identity.rules import Level
from server.journeys.house import House


class Message(Answer):
    id: str
    template: str
    title: str
    body: str
    created_at: str
    read_at: str | None


class MessageList(Answer):
    items: list[Message]
    next: str | None


class SubscriptionInput(Input):
    """What `wx.requestSubscribeMessage` or `my.requestSubscribeMessage` answered, under our own template codes.

    It counts for the wallet that the session was started with.
    """

    templates: Annotated[
        dict[Annotated[str, Field(max_length=32)], Literal["accept", "reject"]], Field(min_length=1, max_length=20)
    ]


class Grant(Answer):
    """`granted`: how many messages of the template may still be sent; `standing`: all of them, until taken back."""

    template: str
    granted: int
    standing: bool


class GrantList(Answer):
    items: list[Grant]


class Subscribable(Answer):
    """`template_id` is the wallet's own; `standing`: a long-term one, which is agreed to once."""

    template: str
    template_id: str
    name: str
    standing: bool


class SubscribableList(Answer):
    items: list[Subscribable]


def blueprint(house: House, edge: Edge) -> Blueprint:
    """The routes of messages and subscriptions."""
    routes = Routes("messages", "/api/v1", edge)
    _inbox(routes, house)
    _subscriptions(routes, house)
    return routes.blueprint


def _inbox(routes: Routes, house: House) -> None:
    needs = house.notifications

    @routes.get(
        "/messages",
        access=resident(Level.WALLET),
        summary="My messages, newest first",
        query=Page,
        answer=MessageList,
    )
    async def my_messages(call: Call[Page]) -> MessageList:
        page = call.input
        found = await queries.inbox(needs, recipient=call.who.id, before=page.cursor or "", limit=page.wanted)
        shown, following = page.cut(found)
        return MessageList(items=[_present(each) for each in shown], next=following)

    @routes.post(
        "/messages/<message_id:str>/read",
        access=resident(Level.WALLET),
        summary="I have read this message",
        body=Empty,
        answer=Message,
        errors=(errors.MessageNotFound,),
    )
    async def read(call: Call[Empty], message_id: str) -> Message:
        recipient = call.who.id
        await call.once(lambda key: service.mark_read(needs, recipient=recipient, message_id=message_id, key=key))
        message = await queries.message(needs, recipient=recipient, message_id=message_id)
        if message is None:
            raise errors.MessageNotFound
        return _present(message)


def _subscriptions(routes: Routes, house: House) -> None:
    needs = house.notifications

    @routes.get(
        "/subscriptions/templates",
        access=resident(Level.WALLET),
        summary="What the phone may ask the resident to subscribe to",
        answer=SubscribableList,
    )
    async def templates(call: Call[None]) -> SubscribableList:
        found = await queries.subscribable(needs, channel=_wallet(call))
        items = [
            Subscribable(template=each.template, template_id=each.template_id, name=each.name, standing=each.standing)
            for each in found
        ]
        return SubscribableList(items=items)

    @routes.post(
        "/subscriptions",
        access=resident(Level.WALLET),
        summary="What the resident agreed to in the wallet's prompt",
        body=SubscriptionInput,
        answer=GrantList,
        rate="60/minute",
        errors=(errors.TemplateUnknown,),
    )
    async def subscribe(call: Call[SubscriptionInput]) -> GrantList:
        asked = call.input.templates
        accepted = [template for template, answer in asked.items() if answer == "accept"]
        refused = [template for template, answer in asked.items() if answer == "reject"]
        recipient, channel = call.who.id, _wallet(call)
        await call.once(
            lambda key: service.record_consents(
                needs, recipient=recipient, accepted=accepted, refused=refused, channel=channel, key=key
            )
        )
        granted = await queries.consents(needs, recipient=recipient, templates=list(asked), channel=channel)
        return GrantList(
            items=[
                Grant(template=each, granted=found.remaining, standing=found.standing)
                for each, found in granted.items()
            ]
        )


def _wallet(call: Call[Any]) -> str:
    return call.who.wallet or WECHAT


def _present(message: MessageView) -> Message:
    return Message(
        id=message.id,
        template=message.template,
        title=message.title,
        body=message.body,
        created_at=rfc3339(message.created_at),
        read_at=rfc3339(message.read_at) if message.read_at else None,
    )
