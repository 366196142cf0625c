import datetime as dt
from typing import Any

import pytest

from server.certificates.face import (
    BuildingFacts,
    Holder,
    area_text,
    chinese_date,
    grouped_unit_code,
    rows,
    square_metres,
)
from tests.factories.certificates import face


def test_rows_stand_in_the_order_of_the_national_form():
    assert [label for label, _ in rows(face())] == [
        "权利人",
        "共有情况",
        "坐落",
        "不动产单元号",
        "权利类型",
        "权利性质",
        "用途",
        "面积",
        "使用期限",
        "权利其他状况",
    ]


def test_holders_show_a_document_only_where_one_is_given():
    holders = (Holder("王强"), Holder("某公司", "统一社会信用代码", "91320114MA9YYYYY7N"))
    assert dict(rows(face(holders=holders)))["权利人"] == "王强、某公司（统一社会信用代码91320114MA9YYYYY7N）"


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({}, "共有宗地面积12345.60㎡/房屋建筑面积89.50㎡"),
        ({"land_area_shared": False}, "宗地面积12345.60㎡/房屋建筑面积89.50㎡"),
        ({"building_area": None}, "共有宗地面积12345.60㎡"),
        ({"land_area": None}, "房屋建筑面积89.50㎡"),
    ],
)
def test_area_names_land_and_building(changes: dict[str, Any], text: str):
    assert area_text(face(**changes)) == text


@pytest.mark.parametrize(("area", "text"), [(0, "0.00㎡"), (5, "0.05㎡"), (8950, "89.50㎡")])
def test_areas_keep_two_decimals(area: int, text: str):
    assert square_metres(area) == text


def test_other_conditions_follow_the_building():
    shown = dict(rows(face(other_conditions=("持证人：王强",))))["权利其他状况"]
    assert shown.splitlines() == [
        "专有建筑面积：73.20㎡",
        "分摊建筑面积：16.30㎡",
        "房屋结构：钢筋混凝土结构",
        "房屋总层数：18层，所在层：3层",
        "房屋竣工时间：2010年06月30日",
        "持证人：王强",
    ]


@pytest.mark.parametrize(
    ("building", "text"),
    [
        (BuildingFacts(), ""),
        (BuildingFacts(floor_text="3层"), "所在层：3层"),
        (BuildingFacts(floors_total=6), "房屋总层数：6层"),
    ],
)
def test_what_the_register_does_not_know_is_not_printed(building: BuildingFacts, text: str):
    assert dict(rows(face(building=building)))["权利其他状况"] == text


def test_dates_and_unit_codes_read_as_on_paper():
    assert chinese_date(dt.date(2026, 1, 2)) == "2026年01月02日"
    assert grouped_unit_code("320114001002GB00012F00180302") == "320114 001002 GB00012 F00180302"
