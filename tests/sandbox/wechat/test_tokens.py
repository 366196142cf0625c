import pytest

from tests.sandbox.city import City


async def ask(city: City, **changes: object) -> dict[str, object]:
    body = {"grant_type": "client_credential", "appid": city.ids["app_id"], "secret": city.secret("app_secret")}
    answer = await city.http.post("/wechat/cgi-bin/stable_token", json=body | changes)
    return dict(answer.json())


async def test_the_same_token_until_five_minutes_before_its_end(city: City):
    first = await ask(city)
    await city.control("POST", "/clock", advance_seconds=6800)
    second = await ask(city)
    assert second["access_token"] == first["access_token"]
    assert 395 <= int(str(second["expires_in"])) <= 400
    await city.control("POST", "/clock", advance_seconds=150)
    third = await ask(city)
    assert third["access_token"] != first["access_token"]
    assert third["expires_in"] == 7200
    # Both work until the old one's own end.
    for token in (first, third):
        assert await errcode(city, token["access_token"]) == 40029
    await city.control("POST", "/clock", advance_seconds=300)
    assert await errcode(city, first["access_token"]) == 42001
    assert await errcode(city, third["access_token"]) == 40029


async def errcode(city: City, token: object) -> int:
    """40029 (the code is wrong) means that the token was accepted."""
    path = "/wechat/wxa/business/getuserphonenumber"
    answer = await city.http.post(path, params={"access_token": str(token)}, json={"code": "none"})
    return int(answer.json()["errcode"])


async def test_a_forced_refresh_kills_the_old_token_and_is_rationed(city: City):
    first = await ask(city)
    second = await ask(city, force_refresh=True)
    assert second["access_token"] != first["access_token"]
    assert await errcode(city, first["access_token"]) == 40001
    assert (await ask(city, force_refresh=True))["errcode"] == 45011
    for _ in range(19):
        await city.control("POST", "/clock", advance_seconds=31)
        assert "access_token" in await ask(city, force_refresh=True)
    await city.control("POST", "/clock", advance_seconds=31)
    assert (await ask(city, force_refresh=True))["errcode"] == 45009


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"secret": "0" * 32}, 40125),
        ({"secret": ""}, 41004),
        ({"appid": "wx0000000000000000"}, 40013),
        ({"appid": ""}, 41002),
        ({"grant_type": "password"}, 40002),
    ],
)
async def test_what_is_refused(city: City, changes: dict[str, object], code: int):
    assert (await ask(city, **changes))["errcode"] == code


async def test_a_form_is_not_json(city: City):
    answer = await city.http.post("/wechat/cgi-bin/stable_token", data={"appid": "x"})
    assert answer.json()["errcode"] == 47001


async def test_a_forgotten_token_is_invalid(city: City):
    token = await city.token()
    await city.control("POST", "/wx/forget_tokens")
    assert await errcode(city, token) == 40001
    assert await errcode(city, "") == 41001
    assert await city.token() != token
