import pytest

from kit.links import holds_a_link


@pytest.mark.parametrize(
    "text",
    [
        "请登录 https://bdc.example.cn/x 缴费",
        "http:evil",
        "请打开bdc-nj.top缴费",
        "WWW.EXAMPLE.COM",
        "ｗｗｗ．ｅｘａｍｐｌｅ．ｃｏｍ",
        "exa\u200bmple.co\u200dm",
        "𝐞𝐱𝐚𝐦𝐩𝐥𝐞.𝐜𝐨𝐦",
        "ⓔⓧⓐⓜⓟⓛⓔ.com",
        "example。com",
        "example｡com",
        "12306.cn",
        "不动产.com",
        "不动产.中国",
        "不动产.xn--fiqs8s",
        "еxample.com",  # its first letter is Cyrillic
        "alipays://platformapi/startapp",
        "写信到 someone@example.cn",
        "访问192.168.1.10:8000",
        "www。example。top",
    ],
)
def test_an_address_is_found_in_every_spelling(text: str) -> None:
    assert holds_a_link(text)


@pytest.mark.parametrize(
    "text",
    [
        "审核已通过，请买方缴纳登记费，并等待税务部门通知。",
        "请补充：1.身份证 2.EMS单号 3.APP截图",
        "请补正1.EMS单号",
        "请在小程序中查看。APP中也可以查看",
        "请上传PDF.格式不限",
        "请上传 身份证.jpg、合同.PDF",
        "面积89.50平方米，价款200.00万元",
        "2026.11.21-2026.11.25",
        "按第3.2.1条办理",
        "2.公司营业执照",
        "材料齐全。公司需加盖公章",
        "Tel: 025-12345678",
        "No.3窗口",
        "",
    ],
)
def test_ordinary_words_are_no_address(text: str) -> None:
    assert not holds_a_link(text)
