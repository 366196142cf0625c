"""Everything that is printed on a title certificate (不动产权证书), as plain values."""

import datetime as dt
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Holder:
    """A right holder; the document is printed behind the name only where it is given."""

    name: str
    id_type_text: str = ""
    id_number: str = ""


@dataclass(frozen=True, slots=True)
class BuildingFacts:
    """What 权利其他状况 says of a building; areas in 0.01 m2, None or "" where the register is silent."""

    inner_area: int | None = None
    shared_area: int | None = None
    structure_text: str = ""
    floors_total: int | None = None
    floor_text: str = ""
    completed_on: dt.date | None = None


@dataclass(frozen=True, slots=True)
class CertificateFace:
    """The face; areas in 0.01 m2, `building_area` None for bare land, texts as the dictionaries word them."""

    number: str
    holders: tuple[Holder, ...]
    co_ownership_text: str
    location: str
    unit_code: str
    right_type_text: str
    right_nature_text: str
    usage_text: str
    land_area: int | None
    building_area: int | None
    term_text: str
    registry_name: str
    registered_on: dt.date
    land_area_shared: bool = False
    building: BuildingFacts = BuildingFacts()
    other_conditions: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    printed_serial: str = ""


def rows(face: CertificateFace) -> list[tuple[str, str]]:
    """The table's rows, label and text, in the order of the national form (自然资源部统一样式)."""
    return [
        ("权利人", "、".join(_holder_text(holder) for holder in face.holders)),
        ("共有情况", face.co_ownership_text),
        ("坐落", face.location),
        ("不动产单元号", grouped_unit_code(face.unit_code)),
        ("权利类型", face.right_type_text),
        ("权利性质", face.right_nature_text),
        ("用途", face.usage_text),
        ("面积", area_text(face)),
        ("使用期限", face.term_text),
        ("权利其他状况", "\n".join([*_building_lines(face.building), *face.other_conditions])),
    ]


def area_text(face: CertificateFace) -> str:
    """Land and building area as the form writes them: `共有宗地面积…㎡/房屋建筑面积…㎡`."""
    parts = []
    if face.land_area is not None:
        word = "共有宗地面积" if face.land_area_shared else "宗地面积"
        parts.append(f"{word}{square_metres(face.land_area)}")
    if face.building_area is not None:
        parts.append(f"房屋建筑面积{square_metres(face.building_area)}")
    return "/".join(parts)


def square_metres(area: int) -> str:
    """An area in 0.01 m2 as people read it: 8950 is `89.50㎡`."""
    return f"{area // 100}.{area % 100:02d}㎡"


def chinese_date(day: dt.date) -> str:
    return f"{day.year}年{day.month:02d}月{day.day:02d}日"


def grouped_unit_code(code: str) -> str:
    """28 characters in the groups that certificates print: 6 6 7 9 (GB/T 37346)."""
    return " ".join(part for part in (code[:6], code[6:12], code[12:19], code[19:]) if part)


def _holder_text(holder: Holder) -> str:
    document = f"{holder.id_type_text}{holder.id_number}"
    return f"{holder.name}（{document}）" if document else holder.name


def _building_lines(building: BuildingFacts) -> list[str]:
    lines = []
    if building.inner_area is not None:
        lines.append(f"专有建筑面积：{square_metres(building.inner_area)}")
    if building.shared_area is not None:
        lines.append(f"分摊建筑面积：{square_metres(building.shared_area)}")
    if building.structure_text:
        lines.append(f"房屋结构：{building.structure_text}")
    floors = [
        f"房屋总层数：{building.floors_total}层" if building.floors_total is not None else "",
        f"所在层：{building.floor_text}" if building.floor_text else "",
    ]
    if any(floors):
        lines.append("，".join(part for part in floors if part))
    if building.completed_on is not None:
        lines.append(f"房屋竣工时间：{chinese_date(building.completed_on)}")
    return lines
