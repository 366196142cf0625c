"""From plain data (YAML, or JSON out of a table) to content, with everything checked."""

import re
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import TypeVar

from server.catalogue.content import (
    OPINION_RESULTS,
    ApplyMode,
    BusinessType,
    CaseFacts,
    Choice,
    Commitment,
    ConflictRow,
    ConflictTable,
    Dictionary,
    DictionaryEntry,
    Effect,
    FeeCase,
    FeeDue,
    FeeRule,
    FeeSchedule,
    Gate,
    Material,
    MaterialForm,
    MaterialPer,
    OpinionTemplate,
    Output,
    Question,
    RoleRule,
    Standing,
    Step,
    Track,
    fact_types,
)
from server.catalogue.fields import Fields
from server.terms.codes import PartyRole, RegistrationType, RightType
from server.terms.working_days import WorkCalendar

_CODE = re.compile(r"[A-Z][A-Z0-9_]{1,31}", re.ASCII)
_WORD = re.compile(r"[a-z][a-z0-9_]{1,31}", re.ASCII)
_REC_TYPE = re.compile(r"[0-9]{7}", re.ASCII)
_MIMES = frozenset({"image/jpeg", "image/png", "application/pdf"})
_FACTS = fact_types(CaseFacts)
_FEE_FACTS = fact_types(FeeCase)
_MOST_FEN = 10_000_000
_ANY_ENTRY = "*"
_Item = TypeVar("_Item")


def load_business(data: object) -> BusinessType:
    """One version of a business type; raises ContentError naming the path of the first fault."""
    fields = Fields(data, "business")
    business = BusinessType(
        code=_shaped(fields, "code", _CODE),
        version=fields.integer("version", least=1, most=100_000),
        effective_from=fields.day("effective_from"),
        effective_to=_until(fields),
        name=fields.text("name"),
        summary=fields.text("summary"),
        registration_type=fields.word("registration_type", RegistrationType),
        right_type=fields.word("right_type", RightType),
        entry_kind=_shaped(fields, "entry_kind", _WORD),
        rec_type=_shaped(fields, "rec_type", _REC_TYPE),
        apply_mode=fields.word("apply_mode", ApplyMode),
        output=fields.word("output", Output),
        supersedes_certificate=fields.boolean("supersedes_certificate"),
        roles=_list(fields, "roles", _role, by="role"),
        materials=_list(fields, "materials", _material, by="code"),
        questions=_list(fields, "questions", _question, by="code"),
        commitment=_commitment(fields.group("commitment")),
        tracks=_list(fields, "tracks", _track, by="code"),
        steps=_list(fields, "steps", _step, by="code"),
        fee_due=fields.word("fee_due", FeeDue),
        time_limit_working_days=fields.integer("time_limit_working_days", least=1, most=30),
        confirmation_hours=fields.integer("confirmation_hours", least=1, most=720),
        correction_days=fields.integer("correction_days", least=1, most=90),
        claim_days=fields.integer("claim_days", least=1, most=365),
        opinions=_list(fields, "opinions", _opinion, by="code"),
    )
    fields.done()
    _check_references(fields, business)
    return business


def load_fees(data: object) -> FeeSchedule:
    """The fee table, rules in order; raises ContentError."""
    fields = Fields(data, "fees")
    schedule = FeeSchedule(_list(fields, "rules", _fee_rule, by="id"))
    fields.done()
    return schedule


def load_conflicts(data: object) -> ConflictTable:
    """The conflict table; each standing must end with a row for any pair, so that every question is answered."""
    fields = Fields(data, "conflicts")
    kinds = frozenset(fields.texts("kinds"))
    rows = tuple(_conflict_row(row, kinds) for row in fields.groups("rows"))
    fields.done()
    for standing in Standing:
        last = next((row for row in reversed(rows) if row.standing is standing), None)
        if last is None or (last.existing, last.incoming) != (_ANY_ENTRY, _ANY_ENTRY):
            raise fields.fail("rows", f"“{standing}”的最后一行应为 existing: '*' 与 incoming: '*'。")
    return ConflictTable(kinds, rows)


def load_dictionaries(data: object) -> dict[str, Dictionary]:
    """The dictionaries by name; raises ContentError."""
    fields = Fields(data, "dictionaries")
    found = _list(fields, "dictionaries", _dictionary, by="name")
    fields.done()
    return {dictionary.name: dictionary for dictionary in found}


def load_calendar(data: object) -> WorkCalendar:
    """The table of working days; raises ContentError."""
    fields = Fields(data, "working_days")
    off: set[date] = set()
    work: set[date] = set()
    years: dict[int, bool] = {}
    for year in fields.groups("years"):
        number = year.integer("year", least=2020, most=2100)
        years[number] = year.boolean("verified")
        year.text("source")
        days = {day for item in year.groups("days_off") for day in _span(item)}
        weekends = set(year.days("days_at_work"))
        year.done()
        if any(day.year != number for day in days | weekends):
            raise year.fail("year", f"只能列出{number}年的日期。")
        if days & weekends:
            raise year.fail("days_at_work", "同一天不能既放假又上班。")
        off |= days
        work |= weekends
    fields.done()
    return WorkCalendar(
        off=frozenset(off),
        work=frozenset(work),
        years=frozenset(years),
        verified=frozenset(number for number, verified in years.items() if verified),
    )


def _list(fields: Fields, key: str, read: Callable[[Fields], _Item], *, by: str) -> tuple[_Item, ...]:
    """At least one item, all different in the attribute `by`."""
    items: list[_Item] = []
    seen: set[object] = set()
    for group in fields.groups(key):
        item = read(group)
        group.done()
        label = getattr(item, by)
        if label in seen:
            raise group.fail(by, f"“{label}”与前面的重复。")
        seen.add(label)
        items.append(item)
    if not items:
        raise fields.fail(key, "至少要有一项。")
    return tuple(items)


def _shaped(fields: Fields, key: str, shape: re.Pattern[str]) -> str:
    text = fields.text(key)
    if not shape.fullmatch(text):
        raise fields.fail(key, f"“{text}”的格式不对，应符合 {shape.pattern}。")
    return text


def _until(fields: Fields) -> date | None:
    """The first day no longer in force; must lie after `effective_from`."""
    until = fields.optional_day("effective_to")
    if until is not None and until <= fields.day("effective_from"):
        raise fields.fail("effective_to", "应晚于 effective_from。")
    return until


def _role(fields: Fields) -> RoleRule:
    least = fields.integer("least", least=0, most=50)
    return RoleRule(
        role=fields.word("role", PartyRole),
        name=fields.text("name"),
        least=least,
        most=fields.integer("most", least=max(least, 1), most=50),
        organisations=fields.boolean("organisations"),
        confirms=fields.boolean("confirms", default=True),
    )


def _material(fields: Fields) -> Material:
    form = fields.word("form", MaterialForm)
    mimes = fields.texts("accepted_mime")
    if strange := sorted(set(mimes) - _MIMES):
        raise fields.fail("accepted_mime", f"不支持的文件类型：{'、'.join(strange)}。")
    if form.uploaded != bool(mimes):
        raise fields.fail("accepted_mime", "需要上传的材料应列出文件类型，其他材料不应列出。")
    return Material(
        code=_shaped(fields, "code", _CODE),
        name=fields.text("name"),
        required=fields.condition("required_expr", _FACTS, default="always"),
        form=form,
        per=fields.word("per", MaterialPer, MaterialPer.APPLICATION),
        copies=fields.integer("copies", least=1, most=20, default=1),
        accepted_mime=mimes,
        max_mb=fields.integer("max_mb", least=1, most=50, default=20),
        max_files=fields.integer("max_files", least=1, most=50, default=10),
        provider=fields.text("provider"),
        source_code=fields.optional_text("source_code"),
        needs_original_check=fields.boolean("needs_original_check", default=False),
        hint=fields.text("hint", default=""),
    )


def _question(fields: Fields) -> Question:
    choices = _list(fields, "choices", _choice, by="code")
    expected = fields.optional_text("expected")
    if expected is not None and expected not in {choice.code for choice in choices}:
        raise fields.fail("expected", "应是选项之一。")
    return Question(
        code=_shaped(fields, "code", _WORD),
        text=fields.text("text"),
        asked=fields.words("asked", PartyRole),
        applies=fields.condition("applies", _FACTS, default="always"),
        choices=choices,
        expected=expected,
    )


def _choice(fields: Fields) -> Choice:
    return Choice(code=_shaped(fields, "code", _WORD), text=fields.text("text"))


def _commitment(fields: Fields) -> Commitment:
    commitment = Commitment(title=fields.text("title"), text=fields.text("text"))
    fields.done()
    return commitment


def _track(fields: Fields) -> Track:
    return Track(
        code=_shaped(fields, "code", _WORD),
        name=fields.text("name"),
        blocks=fields.word("blocks", Gate),
        blocked_code=_shaped(fields, "blocked_code", _CODE),
        blocked_text=fields.text("blocked_text"),
    )


def _step(fields: Fields) -> Step:
    return Step(
        code=_shaped(fields, "code", _WORD),
        name=fields.text("name"),
        resident_text=fields.text("resident_text"),
    )


def _opinion(fields: Fields) -> OpinionTemplate:
    return OpinionTemplate(
        code=_shaped(fields, "code", _WORD),
        step=fields.text("step"),
        result=fields.text("result"),
        text=fields.text("text"),
    )


def _check_references(fields: Fields, business: BusinessType) -> None:
    roles = {rule.role for rule in business.roles}
    for question in business.questions:
        if not question.asked or not roles.issuperset(question.asked):
            raise fields.fail("questions", f"“{question.code}”询问的角色不在 roles 中。")
    steps = {step.code for step in business.steps}
    for opinion in business.opinions:
        if opinion.step not in steps:
            raise fields.fail("opinions", f"“{opinion.code}”的步骤不在 steps 中。")
        if opinion.result not in OPINION_RESULTS.get(opinion.step, ()):
            raise fields.fail("opinions", f"“{opinion.code}”的结果不是这一步可以作出的决定。")
    sides = [rule for rule in business.roles if rule.least > 0]
    if business.apply_mode is ApplyMode.JOINT and len(sides) < len(("right holder", "obligor")):
        raise fields.fail("roles", "双方申请的业务至少要有两种必需的角色。")


def _fee_rule(fields: Fields) -> FeeRule:
    return FeeRule(
        id=fields.text("id"),
        name=fields.text("name"),
        when=fields.condition("when", _FEE_FACTS, default="always"),
        base_fen=fields.integer("base_fen", least=0, most=_MOST_FEN),
        first_certificate_fen=fields.integer("first_certificate_fen", least=0, most=_MOST_FEN, default=0),
        extra_certificate_fen=fields.integer("extra_certificate_fen", least=0, most=_MOST_FEN, default=0),
        source=fields.text("source"),
        effective_from=fields.day("effective_from"),
        effective_to=_until(fields),
        districts=frozenset(fields.texts("districts")),
    )


def _conflict_row(fields: Fields, kinds: frozenset[str]) -> ConflictRow:
    row = ConflictRow(
        standing=fields.word("standing", Standing),
        existing=fields.text("existing"),
        incoming=fields.text("incoming"),
        effect=fields.word("effect", Effect),
        stops_existing=fields.boolean("stops_existing", default=False),
        reason=fields.text("reason"),
    )
    fields.done()
    for key, kind in (("existing", row.existing), ("incoming", row.incoming)):
        if kind != _ANY_ENTRY and kind not in kinds:
            raise fields.fail(key, f"“{kind}”不在 kinds 中。")
    return row


def _dictionary(fields: Fields) -> Dictionary:
    since = fields.day("effective_from")
    entries = tuple(_dictionary_entry(entry, since) for entry in fields.groups("entries"))
    return Dictionary(name=_shaped(fields, "name", _WORD), title=fields.text("title"), entries=entries)


def _dictionary_entry(fields: Fields, since: date) -> DictionaryEntry:
    entry = DictionaryEntry(
        code=fields.text("code"),
        text=fields.text("text"),
        national=fields.text("national"),
        region=fields.optional_text("region"),
        effective_from=fields.optional_day("effective_from") or since,
        effective_to=fields.optional_day("effective_to"),
    )
    fields.done()
    return entry


def _span(fields: Fields) -> Iterator[date]:
    """Every day from `from` up to and including `to`."""
    first, last = fields.day("from"), fields.day("to")
    fields.text("name")
    fields.done()
    if last < first:
        raise fields.fail("to", "不能早于 from。")
    for step in range((last - first).days + 1):
        yield first + timedelta(days=step)
