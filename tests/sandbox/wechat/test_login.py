from typing import Any

from tests.sandbox.city import City


async def login(city: City, code: str, **changes: str) -> dict[str, Any]:
    asked = {
        "appid": city.ids["app_id"],
        "secret": city.secret("app_secret"),
        "js_code": code,
        "grant_type": "authorization_code",
    }
    answer = await city.http.get("/wechat/sns/jscode2session", params=asked | changes)
    return dict(answer.json())


async def give(city: City, kind: str, person: str = "P1") -> str:
    return str((await city.control("POST", f"/wx/{kind}", person=person))["code"])


async def test_a_login_code_works_once(city: City):
    code = await give(city, "login")
    session = await login(city, code)
    assert session["openid"] == "oSandboxPerson000000000000P1"
    assert len(session["session_key"]) == 24
    assert (await login(city, code))["errcode"] == 40163


async def test_login_codes_that_do_not_work(city: City):
    assert (await login(city, "made-up"))["errcode"] == 40029
    assert (await login(city, ""))["errcode"] == 41008
    code = await give(city, "login")
    assert (await login(city, code, secret="wrong"))["errcode"] == 40125
    assert (await login(city, code, grant_type="x"))["errcode"] == 40002
    await city.control("POST", "/clock", advance_seconds=301)
    assert (await login(city, code))["errcode"] == 40029


async def test_a_phone_code_works_once_and_is_no_login_code(city: City):
    path = "/wxa/business/getuserphonenumber"
    code = await give(city, "phone")
    assert (await login(city, code))["errcode"] == 40029
    answer = await city.wechat(path, code=code)
    assert answer["errcode"] == 0
    assert answer["phone_info"]["purePhoneNumber"] == "19900000001"
    assert answer["phone_info"]["countryCode"] == "86"
    assert answer["phone_info"]["watermark"]["appid"] == city.ids["app_id"]
    assert (await city.wechat(path, code=code))["errcode"] == 40029
    assert (await city.wechat(path, code=await give(city, "login")))["errcode"] == 40029
    late = await give(city, "phone")
    await city.control("POST", "/clock", advance_seconds=301)
    assert (await city.wechat(path, code=late))["errcode"] == 40029


async def test_a_phone_code_of_another_user(city: City):
    asked = {"code": await give(city, "phone"), "openid": "oSandboxPerson000000000000P2"}
    assert (await city.wechat("/wxa/business/getuserphonenumber", **asked))["errcode"] == 40003
