import pytest

from kit.errors import OutsideError
from kit.failing import Failing, failing

DOWN = OutsideError("there", "TIMEOUT", "no answer in time", permanent=False)


class Port:
    name = "port"

    def __init__(self) -> None:
        self.done: list[int] = []

    async def do(self, number: int) -> int:
        self.done.append(number)
        return number

    def say(self) -> str:
        return "yes"


async def test_it_fails_as_often_as_told_and_then_lets_through() -> None:
    port = Port()
    shaky = failing(port, [DOWN, DOWN])
    for _ in range(2):
        with pytest.raises(OutsideError, match="TIMEOUT"):
            await shaky.do(1)
    assert await shaky.do(2) == 2
    assert port.done == [2]
    assert shaky.name == "port"


async def test_an_answer_may_be_lost_after_the_other_side_acted() -> None:
    port = Port()
    shaky = failing(port, [DOWN], after=True)
    with pytest.raises(OutsideError):
        await shaky.do(1)
    assert port.done == [1]


async def test_only_the_named_methods_fail() -> None:
    shaky = Failing(Port(), [DOWN], methods={"say"})
    assert await shaky.do(1) == 1
    with pytest.raises(OutsideError):
        shaky.say()
    assert shaky.say() == "yes"
    assert shaky.called == 2


def test_a_plain_method_may_fail_after_it_was_done() -> None:
    shaky = failing(Port(), [DOWN], after=True)
    with pytest.raises(OutsideError):
        shaky.say()
