import pytest

from kit.http.hosts import is_this_machine, unfit_for_real_data

HERE = [
    "127.0.0.1",
    "127.1",
    "127.255.255.254",
    "2130706433",
    "0x7f000001",
    "0x7f.1",
    "0177.0.0.1",
    "0.0.0.0",  # noqa: S104 - nothing is bound
    "0",
    "localhost",
    "LOCALHOST",
    "localhost.",
    "wechat.localhost",
    "localhost.localdomain",
    "ip6-localhost",
    "::1",
    "::",
    "0:0:0:0:0:0:0:1",
    "::ffff:127.0.0.1",
    "::ffff:7f00:1",
]


@pytest.mark.parametrize("host", HERE)
def test_this_machine_is_known_in_every_spelling(host: str) -> None:
    assert is_this_machine(host)
    address = f"[{host}]" if ":" in host else host
    assert unfit_for_real_data(f"https://{address}:8443/api") == "is on this machine"


@pytest.mark.parametrize("host", ["api.weixin.qq.com", "10.1.2.3", "128.0.0.1", "localhost.example", "fd00::1"])
def test_other_machines_are_others(host: str) -> None:
    assert not is_this_machine(host)
    address = f"[{host}]" if ":" in host else host
    assert unfit_for_real_data(f"https://{address}/api") is None


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://api.weixin.qq.com", "is not https"),
        ("https://api.weixin.qq.com@127.0.0.1", "does not name its host plainly"),
        ("https://127.0.0.1\\@api.weixin.qq.com", "does not name its host plainly"),
        ("https://127%2e0.0.1", "does not name its host plainly"),
        ("https://127。0。0。1", "does not name its host plainly"),
        ("https://", "does not name its host plainly"),
    ],
)
def test_what_two_readers_could_read_in_two_ways_is_unfit(url: str, why: str) -> None:
    assert unfit_for_real_data(url) == why
