"""What a resident sees of data that departments share: of the others no more than whether and when, never what."""

from collections.abc import Mapping, Sequence
from typing import Literal

from kit.clock import rfc3339
from kit.web.validation import Answer
from server.applications.records import ApplicationRecord
from server.applications.requirements import MaterialLine
from server.sharing.queries import EvidenceLine
from server.sharing.rules import Result

SourceState = Literal["not_asked", "shared", "unavailable", "not_found", "mismatch", "not_shared"]
_OWN: Mapping[Result, SourceState] = {
    Result.FOUND: "shared",
    Result.NOT_FOUND: "not_found",
    Result.MISMATCH: "mismatch",
    Result.UNAVAILABLE: "unavailable",
}
_TEXTS: Mapping[SourceState, str] = {
    "not_asked": "尚未查询",
    "shared": "已由部门共享",
    "unavailable": "暂时无法查询",
    "not_found": "没有查到",
    "mismatch": "姓名与证件号码不一致",
    "not_shared": "未能共享",
}
_HINTS: Mapping[SourceState, str] = {
    "not_asked": "可以向有关部门查询，查到的不用上传。",
    "shared": "已由有关部门共享，不用上传；您认为内容有误的，可以另外上传自己的材料，登记人员会一并查看。",
    "unavailable": "有关部门的系统暂时无法查询，可以稍后再查，也可以现在直接上传。",
    "not_found": "有关部门没有查到您的记录，请上传材料。",
    "mismatch": "有关部门登记的姓名与证件号码对应不上，请上传材料，并建议到该部门更正登记的信息。",
    "not_shared": "有当事人的信息未能共享，请上传材料。",
}
# The first of these that is found among the parties says where the material stands.
_ORDER: tuple[SourceState, ...] = ("unavailable", "mismatch", "not_found", "not_shared", "not_asked", "shared")


class SharedEvidence(Answer):
    """Whether a department's data about one party is there; `id` only of one's own, which can be read under it."""

    id: str | None
    party_id: str
    is_me: bool
    state: SourceState
    state_text: str
    asked_at: str | None


class Shared(Answer):
    """Where a material stands with the department whose data may take its place."""

    source: str
    source_text: str
    source_state: SourceState
    source_hint: str
    evidence: list[SharedEvidence]


def present_shared(
    record: ApplicationRecord,
    line: MaterialLine,
    *,
    resident_id: str,
    asked: Sequence[EvidenceLine],
    names: Mapping[str, str],
) -> Shared | None:
    """None for a material that no department shares."""
    if line.source_code is None:
        return None
    mine = record.party_of(resident_id)
    evidence = [
        _evidence(line, record.parties[place].id, mine.id if mine else "", asked) for place in line.source_parties
    ]
    states = {each.state for each in evidence}
    state: SourceState = next(each for each in _ORDER if each in states)
    return Shared(
        source=line.source_code,
        source_text=names.get(line.source_code, line.source_code),
        source_state=state,
        source_hint=_HINTS[state],
        evidence=evidence,
    )


def _evidence(line: MaterialLine, party_id: str, mine: str, asked: Sequence[EvidenceLine]) -> SharedEvidence:
    found = next((each for each in asked if (each.source, each.party_id) == (line.source_code, party_id)), None)
    state = _state(found, own=party_id == mine)
    return SharedEvidence(
        id=found.id if found and party_id == mine and found.result is Result.FOUND else None,
        party_id=party_id,
        is_me=party_id == mine,
        state=state,
        state_text=_TEXTS[state],
        asked_at=rfc3339(found.asked_at) if found else None,
    )


def _state(found: EvidenceLine | None, *, own: bool) -> SourceState:
    """That somebody else has no record, or one under another name, is theirs to know."""
    if found is None:
        return "not_asked"
    state = _OWN[found.result]
    return state if own or state in {"shared", "unavailable"} else "not_shared"
