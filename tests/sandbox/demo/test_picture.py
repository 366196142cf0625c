import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from sandbox.demo import picture


def call(step: int, name: str, *, method: str = "GET", status: int = 200) -> dict[str, Any]:
    return {"step": step, "name": name, "method": method, "path": "/x", "status": status, "code": None, "ms": 1.0}


def journey(*calls: dict[str, Any]) -> dict[str, Any]:
    return {
        "steps": [{"number": 1, "title": "one & only"}, {"number": 2, "title": "the other"}],
        "calls": list(calls),
        "pushes": [],
    }


def texts(svg: str) -> list[str]:
    return [each.text or "" for each in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]  # noqa: S314 - ours


def test_every_step_and_everybody_has_a_place():
    svg = picture.draw(
        journey(
            call(1, "passer-by: look"), call(1, "officer: accept", method="POST"), call(2, "P1 张明: pay", status=201)
        )
    )
    shown = texts(svg)
    assert shown.index("P1 张明") < shown.index("officer") < shown.index("passer-by")
    assert {"one & only", "the other", "200 look", "200 accept", "201 pay"} <= set(shown)


def test_looking_again_is_one_line_and_sending_again_is_counted():
    again = [call(1, "P1 张明: look")] * 5 + [call(1, "P1 张明: upload", method="POST", status=201)] * 3
    assert {"200 look", "201 upload ×3"} <= set(texts(picture.draw(journey(*again))))


def test_how_often_it_was_looked_changes_nothing():
    one, many = (picture.draw(journey(*[call(1, "P1 张明: look")] * count)) for count in (1, 9))
    assert one == many


def test_a_refusal_stands_out():
    svg = picture.draw(journey(call(1, "officer: enter", method="POST", status=409)))
    (line,) = [line for line in svg.splitlines() if "409 enter" in line]
    assert "#a33a1c" in line


def test_long_names_and_long_lists_are_cut():
    svg = picture.draw(journey(*(call(1, f"P1 张明: {number} {'very ' * 10}long") for number in range(20))))
    shown = texts(svg)
    assert "and 11 more" in shown
    assert all(len(each) <= 50 for each in shown)


def test_what_partners_push_has_a_lane_of_its_own():
    told = journey(call(1, "P1 张明: pay", method="POST", status=201))
    told["pushes"] = [{"step": 1, "name": "the tax bureau: all is cleared", "status": 200}] * 2
    shown = texts(picture.draw(told))
    assert shown.index("P1 张明") < shown.index("partners")
    assert "200 the tax bureau: all is cleared ×2" in shown


def test_a_journey_without_calls_is_no_picture():
    with pytest.raises(ValueError, match="shows nothing"):
        picture.draw(journey())


def test_it_is_drawn_from_a_file(tmp_path: Path):
    (tmp_path / "journey.json").write_text(json.dumps(journey(call(1, "P1 张明: look"))), encoding="utf-8")
    picture.main([str(tmp_path / "journey.json"), str(tmp_path / "journey.svg")])
    assert "200 look" in (tmp_path / "journey.svg").read_text(encoding="utf-8")


def test_a_long_title_has_room_in_a_row_of_few_calls():
    titled = {"steps": [{"number": 1, "title": "word " * 30}], "calls": [call(1, "officer: accept")], "pushes": []}
    rows = [each for each in ET.fromstring(picture.draw(titled)).iter() if each.text == "word word word word word word"]  # noqa: S314 - ours
    height = float(ET.fromstring(picture.draw(titled)).get("height", "0"))  # noqa: S314 - ours
    assert len(rows) == 5
    assert max(float(each.get("y", "0")) for each in rows) < height - 16
