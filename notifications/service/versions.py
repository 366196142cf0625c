"""Versions of templates: what is shipped becomes rows, and staff save their own beside them."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from tortoise.exceptions import IntegrityError

from kit.audit.service import Actor, record
from kit.db import transactional
from kit.errors import FieldError
from kit.idempotency import RequestKey
from kit.ids import new_id
from kit.log import get_logger
from notifications.checking import flaws
from notifications.errors import TemplateInvalid
from notifications.models import MessageTemplate
from notifications.ports import Needs
from notifications.templates import SmsUse, Template, Variable

SHIPPED_BY = "shipped"
_FIRST = 1
_FURTHEST = timedelta(days=366)
log = get_logger("notifications")


async def load_shipped(needs: Needs) -> None:
    """Bring the shipped templates into the database; what changed becomes the next version, unless a city has its own.

    A city's own version stays in force, with a warning that the shipped one differs from what it was made from.
    """
    for template in needs.templates.shipped.values():
        if not await MessageTemplate.exists(code=template.code, version=_FIRST):
            await _load(needs, template, version=_FIRST)
            continue
        newest = await MessageTemplate.filter(code=template.code).order_by("-version").first()
        shipped = await MessageTemplate.filter(code=template.code, saved_by=SHIPPED_BY).order_by("-version").first()
        if newest is None or shipped is None or shipped.content == template.content():
            continue
        if newest.saved_by == SHIPPED_BY:
            await _load(needs, template, version=newest.version + 1)
        else:
            log.warning("shipped_version_differs", template=template.code)
    needs.templates.forget()


async def _load(needs: Needs, template: Template, *, version: int) -> None:
    now = needs.clock.now()
    try:
        await _append(needs, template, version=version, saved_by=SHIPPED_BY, effective_from=now, district="")
    except IntegrityError:  # another process that starts at the same time has done it
        log.info("shipped_version_there", template=template.code)


async def save_template(
    needs: Needs,
    *,
    staff_id: str,
    code: str,
    name: str,
    title: str,
    body: str,
    page: str,
    wechat: Mapping[str, str],
    alipay: Mapping[str, str],
    sms: SmsUse,
    sms_text: str,
    effective_from: datetime | None = None,
    district: str = "",
    key: RequestKey | None = None,
) -> str:
    """Save the next version of a template, in force from `effective_from`, by default at once; answers the row's id.

    Only the variables that the shipped template has may be used: the message has no others. Errors: TEMPLATE_INVALID
    with an unknown code, or with everything that a wallet or the text message provider would refuse, field by field.
    """
    if code not in needs.templates:
        raise TemplateInvalid(errors=[FieldError("code", "UNKNOWN", "没有这种消息，请填写模板列表中已有的代码")])
    known: Mapping[str, Variable] = needs.templates.shipped[code].variables
    made = Template(code, name, title, body, page, dict(wechat), dict(alipay), sms, sms_text, known)
    now = needs.clock.now()
    found = flaws(made, known, needs.limits)
    found += _when_flaws(effective_from, now=now)
    if found:
        raise TemplateInvalid(errors=found)
    try:
        saved = await _save(needs, made, staff_id, effective_from or now, district, key)
    except IntegrityError:  # a colleague saved the same number at the same time: now the next one is free
        saved = await _save(needs, made, staff_id, effective_from or now, district, key)
    needs.templates.forget()
    return saved


def _when_flaws(effective_from: datetime | None, *, now: datetime) -> list[FieldError]:
    if effective_from is not None and effective_from < now:
        return [FieldError("effective_from", "IN_THE_PAST", "生效时间不能早于现在")]
    # The last hours of the calendar are no moment at all in another zone.
    if effective_from is not None and effective_from > now + _FURTHEST:
        return [FieldError("effective_from", "TOO_FAR", "生效时间不能晚于一年以后")]
    return []


@transactional
async def _save(
    needs: Needs, made: Template, staff_id: str, effective_from: datetime, district: str, key: RequestKey | None
) -> str:
    newest = await MessageTemplate.filter(code=made.code).order_by("-version").select_for_update().first()
    # The shipped one is the first, also where nobody has written it down yet.
    version = (newest.version if newest else _FIRST) + 1
    row = await _insert(
        needs, made, version=version, saved_by=staff_id, effective_from=effective_from, district=district
    )
    await record(
        actor=Actor("staff", staff_id),
        action="notifications.template_saved",
        subject=("template", made.code),
        details={"version": row.version, "district": district, "effective_from": effective_from.isoformat()},
        at=row.created_at,
    )
    if key is not None:
        await key.settle(result_id=row.id, status=201)
    return str(row.id)


@transactional
async def _append(needs: Needs, made: Template, **given: Any) -> None:
    await _insert(needs, made, **given)


async def _insert(
    needs: Needs, made: Template, *, version: int, saved_by: str, effective_from: datetime, district: str
) -> MessageTemplate:
    return await MessageTemplate.create(
        id=new_id(),
        code=made.code,
        district=district,
        version=version,
        effective_from=effective_from,
        content=made.content(),
        saved_by=saved_by,
        created_at=needs.clock.now(),
    )
