import pytest

from kit.words import Worded


class _Light(Worded):
    GO = "go", "通行"
    STOP = "stop", "停止"


def test_is_its_code_and_tells_its_word():
    assert _Light("go") is _Light.GO
    assert (f"{_Light.STOP}", _Light.STOP.value, _Light.STOP.text) == ("stop", "stop", "停止")
    assert _Light.GO == "go"


def test_no_code_goes_without_a_word():
    with pytest.raises(TypeError, match="amber"):

        class _Mute(Worded):
            AMBER = "amber"
