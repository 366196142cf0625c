"""The words of messages: what is in force, and the next version of a template."""

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field
from sanic import Blueprint

from kit.clock import rfc3339
from kit.web.access import staff
from kit.web.edge import Call, Edge
from kit.web.errors import PermissionMissing
from kit.web.pages import Page
from kit.web.routes import Routes
from kit.web.validation import Answer, Input
from notifications import errors, queries, service
from notifications.queries import TemplateView
from notifications.templates import SmsUse
from server.console.districts import scope_of
from server.journeys.house import House

Code = Annotated[str, Field(pattern=r"^[a-z0-9_]{1,32}$")]
Text = Annotated[str, Field(max_length=2000)]
Fields = Annotated[dict[Annotated[str, Field(max_length=32)], Text], Field(max_length=20)]


class TemplateInput(Input):
    """The next version; left out, `effective_from` is now and `district` every one that has no words of its own."""

    code: Code
    name: Text
    title: Text
    body: Text
    page: Text
    wechat: Fields
    alipay: Fields
    sms: Literal["never", "fallback"] = "never"
    sms_text: Text = ""
    effective_from: AwareDatetime | None = None
    district: Annotated[str, Field(pattern=r"^([0-9]{6})?$")] = ""


class Variable(Answer):
    """What a placeholder stands for; `longest` is the longest value that must fit whole."""

    name: str
    kind: str
    longest: int


class Template(Answer):
    """`sms_segments`: how many text messages it is charged as at most, none where it has no text for them."""

    id: str
    code: str
    version: int
    district: str
    effective_from: str
    name: str
    title: str
    body: str
    page: str
    wechat: dict[str, str]
    alipay: dict[str, str]
    sms: str
    sms_text: str
    sms_segments: int
    variables: list[Variable]
    saved_by: str
    created_at: str


class TemplateList(Answer):
    items: list[Template]
    next: str | None


def blueprint(house: House, edge: Edge) -> Blueprint:
    """The routes of message templates."""
    routes = Routes("notification_templates", "/staff/v1/notification-templates", edge)
    needs = house.notifications

    @routes.get(
        "", access=staff("templates.manage"), summary="Saved versions, newest first", query=Page, answer=TemplateList
    )
    async def read(call: Call[Page]) -> TemplateList:
        page = call.input
        shown, following = page.cut(await queries.templates(needs, before=page.cursor or "", limit=page.wanted))
        return TemplateList(items=[_present(each) for each in shown], next=following)

    @routes.post(
        "",
        access=staff("templates.manage"),
        summary="Save the next version of a template",
        body=TemplateInput,
        answer=Template,
        status=201,
        errors=(PermissionMissing, errors.TemplateInvalid),
    )
    async def save(call: Call[TemplateInput]) -> Template:
        given = call.input
        _check_district(call, given.district)
        content = given.model_dump(exclude={"sms"})
        saved = await call.once(
            lambda key: service.save_template(needs, staff_id=call.who.id, **content, sms=SmsUse(given.sms), key=key)
        )
        return _present(await queries.template(needs, version_id=saved))

    return routes.blueprint


def _check_district(call: Call[Any], district: str) -> None:
    """Words for everybody are the whole city's: an account for some districts changes only theirs."""
    if not scope_of(call).allows(district):
        raise PermissionMissing("您的账号只限部分区县，只能保存本区县的消息模板，请填写本区县的行政区划代码")


def _present(found: TemplateView) -> Template:
    template = found.template
    return Template(
        id=found.id,
        code=template.code,
        version=template.version,
        district=found.district,
        effective_from=rfc3339(found.effective_from),
        name=template.name,
        title=template.title,
        body=template.body,
        page=template.page,
        wechat=dict(template.wechat),
        alipay=dict(template.alipay),
        sms=template.sms.value,
        sms_text=template.sms_text,
        sms_segments=found.segments,
        variables=[
            Variable(name=name, kind=each.kind.value, longest=each.longest) for name, each in template.variables.items()
        ],
        saved_by=found.saved_by,
        created_at=rfc3339(found.created_at),
    )
