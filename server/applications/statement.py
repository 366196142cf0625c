"""What a party confirms: one canonical text of everything that matters, its digest, and how it reads on the phone."""

import hashlib
from collections.abc import Mapping
from typing import Any

import orjson

from server.applications.records import ApplicationRecord, PartyRecord
from server.applications.rules import questions_for
from server.terms.codes import CoOwnership, IdKind
from server.terms.id_document import IdDocument

FORM = 1
"""Raised when the statement's shape changes; part of what is digested."""


_FEN_PER_TEN_THOUSAND = 1_000_000
_SHARES = {"1/1": "全部"}


def masked_number(party: PartyRecord) -> str:
    return IdDocument(IdKind(party.id_kind), party.id_number).masked()


def build(record: ApplicationRecord, party: PartyRecord, answers: Mapping[str, str]) -> dict[str, Any]:
    """The statement of one party; the other parties' document numbers stay masked, their names do not.

    Left out is whatever changes while the parties confirm one after the other: states, versions, times.
    """
    requirements = record.requirements
    return {
        "form": FORM,
        "application": {
            "id": record.id,
            "district": record.district,
            "business_type": requirements.business_type,
            "business_name": requirements.name,
            "catalogue_version": requirements.version,
            "price_fen": record.price_fen,
            "sole_home_over_five_years": record.sole_home_over_five_years,
        },
        "entries": [_entry(entry.unit, entry.registration_type) for entry in record.entries],
        "parties": [_party(record, each, whole=each.id == party.id) for each in record.parties],
        "materials": [_material(record, each) for each in sorted(record.files, key=_file_order)],
        "me": {"party": party.position, "name": party.name, "id_number": party.id_number},
        "inquiry": _inquiry(record, party, answers),
        "commitment": {"title": requirements.commitment_title, "text": requirements.commitment_text},
    }


def canonical(statement: Mapping[str, Any]) -> bytes:
    """The one spelling of a statement: UTF-8 JSON, keys sorted, no white space."""
    return orjson.dumps(statement, option=orjson.OPT_SORT_KEYS)


def digest(statement: Mapping[str, Any]) -> str:
    return hashlib.sha256(canonical(statement)).hexdigest()


def readable(statement: Mapping[str, Any]) -> str:
    """The same content in short Chinese lines, for somebody who reads every one of them."""
    application = statement["application"]
    lines = [f"{statement['me']['name']}：请您逐条核对。以下内容与实际一致，再进行确认。", ""]
    lines += ["【办理事项】", f"{application['business_name']}", ""]
    for entry in statement["entries"]:
        lines += ["【房屋】", f"坐落：{entry['location']}", f"不动产单元号：{entry['unit_code']}"]
        lines += [f"不动产权证号：{entry['certificate_number']}"]
        lines += [f"面积：{entry['area_centiare'] / 100:.2f}平方米"] if entry["area_centiare"] else []
        lines += [f"用途：{entry['usage_text']}", ""]
    lines += ["【成交价格】", _money(application["price_fen"]), ""]
    lines += ["【当事人】", *(_party_line(each) for each in statement["parties"]), ""]
    sole = "是" if application["sole_home_over_five_years"] else "否"
    lines += ["【纳税申报】", f"卖方家庭唯一住房且已满五年：{sole}", ""]
    lines += ["【已提交的材料】", *_material_lines(statement["materials"]), ""]
    lines += ["【询问笔录】"]
    for place, each in enumerate(statement["inquiry"], start=1):
        lines += [f"{place}. {each['question']}", f"   您的回答：{each['answer_text']}"]
    lines += ["", f"【{statement['commitment']['title']}】", statement["commitment"]["text"]]
    return "\n".join(lines)


def _entry(unit: Any, registration_type: str) -> dict[str, Any]:
    return {
        "registration_type": registration_type,
        "unit_code": unit.unit_code,
        "certificate_number": unit.certificate_number,
        "register_version": unit.version,
        "location": unit.location,
        "area_centiare": unit.area_centiare,
        "usage_text": unit.usage_text,
        "co_ownership_text": CoOwnership(unit.co_ownership).text,
    }


def _party(record: ApplicationRecord, party: PartyRecord, *, whole: bool) -> dict[str, Any]:
    return {
        "position": party.position,
        "role": party.role.value,
        "role_text": record.requirements.role_name(party.role),
        "name": party.name,
        "id_number": party.id_number if whole else masked_number(party),
        "share": str(party.share) if party.share else None,
    }


def _material(record: ApplicationRecord, file: Any) -> dict[str, Any]:
    line = record.requirements.material(file.code)
    owner = record.party(file.party_id) if file.party_id else None
    return {
        "code": file.code,
        "name": line.name if line else file.code,
        "party": owner.position if owner else None,
        "party_name": owner.name if owner else None,
        "digest": file.digest,
        # All parties read this: the length of what a department said of one of them would tell the others something.
        **({"source": file.source} if file.shared else {"size": file.size}),
    }


def _file_order(file: Any) -> tuple[str, str, str]:
    return file.code, file.party_id or "", file.id


def _inquiry(record: ApplicationRecord, party: PartyRecord, answers: Mapping[str, str]) -> list[dict[str, str]]:
    found = []
    for question in questions_for(record.requirements, [each.role for each in party.roles]):
        given = answers[question.code]
        text = next(choice.text for choice in question.choices if choice.code == given)
        found.append({"code": question.code, "question": question.text, "answer": given, "answer_text": text})
    return found


def _money(fen: int) -> str:
    """Grouped by thousands, and in 万 where that comes out even: long rows of zeros are misread."""
    whole, rest = divmod(fen, _FEN_PER_TEN_THOUSAND)
    spoken = f"（{whole:,}万元）" if whole and not rest else ""
    return f"{fen // 100:,}.{fen % 100:02d}元{spoken}"


def _party_line(party: Mapping[str, Any]) -> str:
    share = f"，份额{_SHARES.get(party['share'], party['share'])}" if party["share"] else ""
    return f"{party['role_text']}：{party['name']}（证件号码{party['id_number']}）{share}"


def _material_lines(materials: list[dict[str, Any]]) -> list[str]:
    counted: dict[str, int] = {}
    for each in materials:
        title = each["name"] + (f"（{each['party_name']}）" if each["party_name"] else "")
        title += "（部门共享）" if "source" in each else ""
        counted[title] = counted.get(title, 0) + 1
    return [f"{title}：{count}份文件" for title, count in counted.items()]
