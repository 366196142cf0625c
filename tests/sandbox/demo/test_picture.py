import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from sandbox.demo import picture

TITLES = {1: "one & only", 2: "the other"}
SVG = "{http://www.w3.org/2000/svg}"
WIDEST_ON_A_PAGE = 1012


def call(step: int, name: str, *, method: str = "GET", status: int = 200) -> dict[str, Any]:
    return {"step": step, "name": name, "method": method, "path": "/x", "status": status, "code": None, "ms": 1.0}


def drawn(*calls: dict[str, Any], pushes: list[dict[str, Any]] | None = None, titles: dict[int, str] = TITLES) -> str:
    return picture.draw(calls, pushes or [], titles)


def elements(svg: str, tag: str) -> list[ET.Element]:
    return list(ET.fromstring(svg).iter(SVG + tag))  # noqa: S314 - ours


def texts(svg: str) -> list[str]:
    return [each.text or "" for each in elements(svg, "text")]


def test_every_step_and_everybody_has_a_place():
    shown = texts(
        drawn(
            call(1, "passer-by: look"),
            call(1, "officer: accept", method="POST"),
            call(1, "P1 张明: ask"),
            call(2, "P1 张明: pay", status=201),
        )
    )
    assert shown.index("P1 张明") < shown.index("officer") < shown.index("passer-by")
    assert {"one & only", "the other", "200 look", "200 accept", "201 pay"} <= set(shown)


def test_those_who_did_the_same_share_a_card():
    shown = texts(drawn(call(1, "P1 张明: pay"), call(1, "P2 李静: look"), call(1, "P3 王强: pay")))
    assert {"P1 张明, P3 王强", "P2 李静"} <= set(shown)
    assert shown.count("200 pay") == 1


def test_it_is_no_wider_than_a_page_and_nothing_lies_outside_it():
    svg = drawn(*(call(1, f"P{number} 某人: call {number}") for number in range(1, 8)))
    size = {name: float(ET.fromstring(svg).get(name, "0")) for name in ("width", "height")}  # noqa: S314 - ours
    assert size["width"] <= WIDEST_ON_A_PAGE
    for each in elements(svg, "rect")[1:]:
        assert float(each.get("x", "0")) + float(each.get("width", "0")) <= size["width"]
        assert float(each.get("y", "0")) + float(each.get("height", "0")) <= size["height"]


def test_looking_again_is_one_line_and_sending_again_is_counted():
    again = [call(1, "P1 张明: look")] * 5 + [call(1, "P1 张明: upload", method="POST", status=201)] * 3
    assert {"200 look", "201 upload ×3"} <= set(texts(drawn(*again)))


def test_how_often_it_was_looked_changes_nothing():
    one, many = (drawn(*[call(1, "P1 张明: look")] * count) for count in (1, 9))
    assert one == many


def test_a_refusal_stands_out():
    svg = drawn(call(1, "officer: enter", method="POST", status=409))
    (line,) = [line for line in svg.splitlines() if "409 enter" in line]
    assert "#a33a1c" in line


def test_long_names_and_long_lists_are_cut():
    shown = texts(drawn(*(call(1, f"P1 张明: {number} {'very ' * 10}long") for number in range(20))))
    assert "and 11 more" in shown
    assert all(len(each) <= 50 for each in shown)


def test_what_partners_push_stands_last():
    pushes = [{"step": 1, "name": "the tax bureau: all is cleared", "status": 200}] * 2
    shown = texts(drawn(call(1, "P1 张明: pay", method="POST", status=201), pushes=pushes))
    assert shown.index("P1 张明") < shown.index("partners")
    assert "200 the tax bureau: all is cleared ×2" in shown


def test_a_journey_without_calls_is_no_picture():
    with pytest.raises(ValueError, match="shows nothing"):
        drawn()


@pytest.mark.parametrize("pushed", [True, False])
def test_it_is_drawn_from_files(tmp_path: Path, *, pushed: bool):
    (tmp_path / "journey.json").write_text(json.dumps([call(2, "P1 张明: look")]), encoding="utf-8")
    if pushed:
        told = [{"step": 2, "name": "it is paid", "status": 204}]
        (tmp_path / "pushes.json").write_text(json.dumps(told), encoding="utf-8")
    picture.main([str(tmp_path / "journey.json"), str(tmp_path / "journey.svg")])
    svg = (tmp_path / "journey.svg").read_text(encoding="utf-8")
    assert "200 look" in svg
    assert ("204 it is paid" in svg) is pushed


def test_a_long_title_has_room_in_a_row_of_few_calls():
    svg = drawn(call(1, "officer: accept"), titles={1: "word " * 30})
    rows = [each for each in elements(svg, "text") if (each.text or "").startswith("word word")]
    height = float(ET.fromstring(svg).get("height", "0"))  # noqa: S314 - ours
    assert len(rows) == 6
    assert max(float(each.get("y", "0")) for each in rows) < height - 16
