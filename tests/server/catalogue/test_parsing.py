import copy
import json
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from server.catalogue.fields import ContentError
from server.catalogue.loading import read_shipped
from server.catalogue.parsing import (
    load_business,
    load_calendar,
    load_conflicts,
    load_dictionaries,
    load_fees,
)


def edit(path: str, value: object) -> Callable[[dict[str, Any]], None]:
    """Set the item at the dotted path; a value of `...` removes it."""

    def change(data: dict[str, Any]) -> None:
        *way, last = (int(part) if part.isdigit() else part for part in path.split("."))
        place: Any = data
        for part in way:
            place = place[part]
        if value is ...:
            del place[last]
        else:
            place[last] = value

    return change


BUSINESS_FAULTS = [
    ("code", "transfer resale", "business.code"),
    ("code", ..., "business.code"),
    ("version", 0, "business.version"),
    ("version", True, "business.version"),
    ("effective_from", "yesterday", "business.effective_from"),
    ("effective_from", ..., "business.effective_from"),
    ("effective_to", "2025-01-01", "business.effective_to"),
    ("effective_to", 20270101, "business.effective_to"),
    ("name", "  ", "business.name"),
    ("registration_type", "sale", "business.registration_type"),
    ("rec_type", "200", "business.rec_type"),
    ("supersedes_certificate", "yes", "business.supersedes_certificate"),
    ("colour", "red", "business"),
    ("roles", [], "business.roles"),
    ("roles", "two", "business.roles"),
    ("roles.0", "seller", "business.roles[0]"),
    ("roles.0.most", 0, "business.roles[0].most"),
    ("roles.1.role", "obligor", "business.roles[1].role"),
    ("roles.0.least", 0, "business.roles"),
    ("materials.1.code", "M01", "business.materials[1].code"),
    ("materials.1.required_expr", "vip", "business.materials[1].required_expr"),
    ("materials.1.required_expr", 1, "business.materials[1].required_expr"),
    ("materials.1.accepted_mime", ["text/html"], "business.materials[1].accepted_mime"),
    ("materials.1.accepted_mime", [], "business.materials[1].accepted_mime"),
    ("materials.0.accepted_mime", ["image/png"], "business.materials[0].accepted_mime"),
    ("materials.1.max_mb", 51, "business.materials[1].max_mb"),
    ("materials.1.colour", "red", "business.materials[1]"),
    ("questions.0.expected", "maybe", "business.questions[0].expected"),
    ("questions.0.choices", [], "business.questions[0].choices"),
    ("questions.0.asked", [], "business.questions"),
    ("questions.0.asked", ["co_owner"], "business.questions"),
    ("questions.0.asked", ["nobody"], "business.questions[0].asked"),
    ("commitment", ..., "business.commitment"),
    ("tracks.0.blocks", "everything", "business.tracks[0].blocks"),
    ("notifications", [], "business"),
    ("opinions.0.step", "lunch", "business.opinions"),
    ("opinions.0.step", "archive", "business.opinions"),
    ("opinions.0.result", "pass", "business.opinions"),
    ("time_limit_working_days", 31, "business.time_limit_working_days"),
]


@pytest.mark.parametrize(("path", "value", "where"), BUSINESS_FAULTS)
def test_a_fault_is_named_by_its_path(path: str, value: object, where: str) -> None:
    data = read_shipped("transfer_resale.yaml")
    edit(path, value)(data)
    with pytest.raises(ContentError) as caught:
        load_business(data)
    assert caught.value.where == where
    assert caught.value.sentence.endswith("。")


def test_a_single_applicant_needs_only_one_side() -> None:
    data = read_shipped("transfer_resale.yaml")
    data |= {"apply_mode": "single", "effective_to": date(2030, 1, 1)}
    data["roles"][0]["least"] = 0
    assert load_business(data).effective_to == date(2030, 1, 1)


def test_content_survives_json() -> None:
    data = read_shipped("transfer_resale.yaml")
    again = json.loads(json.dumps(data, default=str))
    first, second = load_business(data), load_business(again)
    assert [item.code for item in first.materials] == [item.code for item in second.materials]
    assert first.effective_from == second.effective_from == date(2026, 1, 1)


@pytest.mark.parametrize("data", [None, [], "text"])
def test_content_is_a_mapping(data: object) -> None:
    with pytest.raises(ContentError):
        load_business(data)


@pytest.mark.parametrize(
    ("path", "value", "where"),
    [
        ("rules.0.when", "colour == 'red'", "fees.rules[0].when"),
        ("rules.0.base_fen", 80.5, "fees.rules[0].base_fen"),
        ("rules.1.id", "1-no-charge", "fees.rules[1].id"),
        ("rules.0.effective_to", "2016-12-06", "fees.rules[0].effective_to"),
        ("rules", [], "fees.rules"),
    ],
)
def test_fee_faults(path: str, value: object, where: str) -> None:
    data = read_shipped("fees.yaml")
    edit(path, value)(data)
    with pytest.raises(ContentError) as caught:
        load_fees(data)
    assert caught.value.where == where


def test_conflict_rows_name_known_kinds_and_end_with_any_pair() -> None:
    data = read_shipped("conflicts.yaml")
    unknown = copy.deepcopy(data)
    unknown["rows"][0]["incoming"] = "sale"
    with pytest.raises(ContentError, match=r"rows\[0\]\.incoming"):
        load_conflicts(unknown)
    open_end = copy.deepcopy(data)
    del open_end["rows"][-1]
    with pytest.raises(ContentError, match="registered"):
        load_conflicts(open_end)
    with pytest.raises(ContentError, match="running"):
        load_conflicts({"kinds": [], "rows": []})


def test_calendar_faults() -> None:
    year = {"year": 2026, "verified": True, "source": "通知", "days_at_work": ["2026-01-04"]}
    span = {"from": "2026-01-01", "to": "2026-01-03", "name": "元旦"}
    calendar = load_calendar({"years": [{**year, "days_off": [span]}]})
    assert calendar.verified == {2026}
    assert calendar.off == {date(2026, 1, 1), date(2026, 1, 2), date(2026, 1, 3)}
    for days_off, match in [
        ({**span, "to": "2025-12-31"}, r"days_off\[0\]\.to"),
        ({**span, "to": "2027-01-01"}, r"years\[0\]\.year"),
        ({**span, "to": "2026-01-04"}, r"years\[0\]\.days_at_work"),
    ]:
        with pytest.raises(ContentError, match=match):
            load_calendar({"years": [{**year, "days_off": [days_off]}]})


def test_dictionary_rows_may_be_local_and_dated() -> None:
    entry = {"code": "habitation", "text": "居住权", "national": "92"}
    local = {**entry, "national": "24", "region": "3201", "effective_from": "2026-01-01"}
    names = load_dictionaries(
        {
            "dictionaries": [
                {"name": "right_type", "title": "权利类型", "effective_from": "2015-03-01", "entries": [entry, local]}
            ]
        }
    )
    general, regional = names["right_type"].entries
    assert (general.region, general.effective_from) == (None, date(2015, 3, 1))
    assert (regional.region, regional.effective_from) == ("3201", date(2026, 1, 1))
