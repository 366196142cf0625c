from typing import Any

from tests.sandbox.city import City

OPENID = "oSandboxPerson000000000000P1"
DATA = {
    "thing1": "二手房转移登记",
    "character_string2": "20261121-320114-000001",
    "phrase3": "已受理",
    "time4": "2026年11月21日 10:30",
    "thing5": "请留意办理进度",
}


async def send(city: City, data: dict[str, str] | None = None, **changes: Any) -> dict[str, Any]:
    asked = {
        "touser": OPENID,
        "template_id": city.ids["templates"]["case_accepted"],
        "page": "pages/case/index?id=1",
        "data": {field: {"value": value} for field, value in (data or DATA).items()},
    }
    return await city.wechat("/cgi-bin/message/subscribe/send", **asked | changes)


async def accept(city: City, times: int = 1) -> None:
    ids = [city.ids["templates"]["case_accepted"]]
    await city.control("POST", "/wx/subscribe", person="P1", template_ids=ids, times=times)


async def test_one_accept_is_one_message(city: City):
    assert (await send(city))["errcode"] == 43101
    await accept(city, 2)
    assert [(await send(city))["errcode"] for _ in range(3)] == [0, 0, 43101]
    items = (await city.control("GET", "/wx/messages?person=P1"))["items"]
    assert len(items) == 2
    assert items[0]["template"] == "case_accepted"
    assert items[0]["data"] == DATA
    assert (await city.control("GET", "/wx/messages?person=P2"))["items"] == []


async def test_a_refused_message_spends_nothing(city: City):
    await accept(city)
    assert (await send(city, touser="oStranger"))["errcode"] == 40003
    assert (await send(city, template_id="none"))["errcode"] == 40037
    assert (await send(city, page="/pages/x y"))["errcode"] == 41030
    assert (await send(city, miniprogram_state="beta"))["errcode"] == 47003
    assert (await send(city, DATA | {"thing1": ""}))["errcode"] == 47003
    assert (await send(city))["errcode"] == 0
