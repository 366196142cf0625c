"""Pictures of documents as a phone takes them: real JPEG and PDF files, drawn here, all marked as invented."""

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from PIL import Image, ImageChops, ImageDraw, ImageFont

from sandbox.demo import cast
from sandbox.people import Person

JPEG, PDF, PNG = "image/jpeg", "application/pdf", "image/png"
MARK = "演示样本　虚构"
_FONTS = Path("/usr/share/fonts/opentype/noto")
_INK, _FAINT, _RED = (35, 35, 45), (214, 214, 222), (170, 40, 40)
_LANDSCAPE, _PORTRAIT = (1600, 1080), (1240, 1754)


@dataclass(frozen=True, slots=True)
class Material:
    mime: str
    content: bytes


class NoFontError(RuntimeError):
    """There is no font with Chinese characters; `apt-get install fonts-noto-cjk` brings one."""


def make(code: str, owner: Person | None) -> Material:
    """The file for a material of the catalogue; `owner` is the party it belongs to, if to one."""
    if code == "M02" and owner is not None:
        return _photo(*_identity_card(owner))
    drawers: dict[str, Callable[[], Material]] = {
        "M07": lambda: _photo(*_old_certificate()),
        "M08": lambda: _scan([_contract(page) for page in (1, 2, 3)]),
        "M10": lambda: _photo(*_marriage_certificate()),
        "M10H": lambda: _photo(*_household_register()),
    }
    if code not in drawers:
        raise KeyError(f"the demo has no picture for material {code}")
    return drawers[code]()


def drawn_signature(name: str) -> bytes:
    """A name written with a finger, PNG on transparent ground."""
    picture = Image.new("RGBA", (640, 260), (0, 0, 0, 0))
    ImageDraw.Draw(picture).text((60, 40), name, font=_font(150), fill=(20, 20, 60, 255))
    slanted = picture.transform(picture.size, Image.Transform.AFFINE, (1, 0.18, -24, 0.03, 1, -6))
    out = io.BytesIO()
    slanted.save(out, "PNG")
    return out.getvalue()


def _identity_card(person: Person) -> tuple[str, list[str]]:
    born = person.id_number[6:14]
    sex = "男" if int(person.id_number[16]) % 2 else "女"
    return "居民身份证", [
        f"姓名　{person.name}",
        f"性别　{sex}　　民族　汉",
        f"出生　{born[:4]}年{int(born[4:6])}月{int(born[6:])}日",
        "住址　南京市雨花台区虚构路1号",
        f"公民身份号码　{person.id_number}",
    ]


def _old_certificate() -> tuple[str, list[str]]:
    return "不动产权证书", [
        cast.OLD_NUMBER,
        f"权利人　{'、'.join(each.name for each in cast.SELLERS)}",
        "共有情况　共同共有",
        f"不动产单元号　{cast.UNIT_CODE}",
        "权利类型　国有建设用地使用权/房屋所有权",
        "用途　城镇住宅用地/住宅　　面积　89.50㎡",
    ]


def _marriage_certificate() -> tuple[str, list[str]]:
    return "结婚证", [
        f"持证人　{cast.SELLER.name}、{cast.CO_SELLER.name}",
        "登记日期　2012年5月20日",
        "登记机关　虚构民政局",
        *(f"{each.name}　身份证件号　{each.id_number}" for each in cast.SELLERS),
    ]


def _household_register() -> tuple[str, list[str]]:
    return "居民户口簿", [
        f"户主　{cast.BUYER.name}",
        "户别　非农业家庭户　　家庭成员　1人",
        f"公民身份号码　{cast.BUYER.id_number}",
        "住址　南京市鼓楼区虚构巷2号",
    ]


def _contract(page: int) -> tuple[str, list[str]]:
    pages = {
        1: [
            f"出卖人　{'、'.join(each.name for each in cast.SELLERS)}",
            f"买受人　{cast.BUYER.name}",
            f"不动产单元号　{cast.UNIT_CODE}",
            "网签备案号　YC-DEMO-0001",
        ],
        2: ["成交价款　人民币贰佰万元整（2,000,000元）", "付款方式　一次性付款", "交付　登记完成之日"],
        3: [f"{each.name}　（签章）" for each in cast.PARTIES],
    }
    return f"存量房买卖合同　第{page}页　共3页", pages[page]


def _photo(title: str, lines: Sequence[str]) -> Material:
    out = io.BytesIO()
    _as_photographed(_document(_LANDSCAPE, title, lines)).save(out, "JPEG", quality=84)
    return Material(JPEG, out.getvalue())


def _scan(pages: Sequence[tuple[str, list[str]]]) -> Material:
    sheets = [_as_photographed(_document(_PORTRAIT, title, lines)) for title, lines in pages]
    out = io.BytesIO()
    sheets[0].save(out, "PDF", save_all=True, append_images=sheets[1:], resolution=150, quality=70)
    return Material(PDF, out.getvalue())


def _document(size: tuple[int, int], title: str, lines: Sequence[str]) -> Image.Image:
    sheet = Image.new("RGB", size, (250, 248, 242))
    draw = ImageDraw.Draw(sheet)
    for row, y in enumerate(range(40, size[1], 190)):
        for x in range(-200 + 150 * (row % 2), size[0], 460):
            draw.text((x, y), MARK, font=_font(48), fill=_FAINT)
    draw.rectangle((36, 36, size[0] - 36, size[1] - 36), outline=_INK, width=5)
    draw.text((90, 80), title, font=_font(72), fill=_RED)
    for index, line in enumerate(lines):
        draw.text((100, 240 + 110 * index), line, font=_font(46), fill=_INK)
    draw.text((90, size[1] - 130), f"{MARK}　不具有任何效力", font=_font(44), fill=_RED)
    return sheet


def _as_photographed(sheet: Image.Image) -> Image.Image:
    """The grain of a phone's camera, which also gives the file a phone picture's size."""
    grain = Image.effect_noise(sheet.size, 52).convert("RGB")
    return ImageChops.overlay(sheet, grain)


@cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    found = sorted(_FONTS.glob("NotoS*CJK-Regular.ttc"))
    if not found:
        raise NoFontError("no Chinese font found; please run: apt-get install fonts-noto-cjk")
    return ImageFont.truetype(found[0], size)
