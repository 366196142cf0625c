import pytest

from bench.statistics import alternate, middle, ratio


def test_contenders_take_turns_and_change_order():
    order: list[str] = []

    def take(name: str) -> int:
        order.append(name)
        return len(order)

    found = alternate({"ours": lambda: take("ours"), "bare": lambda: take("bare")}, rounds=3)
    assert order == ["ours", "bare", "bare", "ours", "ours", "bare"]
    assert found == {"ours": [1, 4, 5], "bare": [2, 3, 6]}


def test_five_rounds_unless_said_otherwise():
    assert len(alternate({"one": lambda: 0.0})["one"]) == 5


def test_one_slow_round_does_not_count():
    assert middle([3.0, 1.0, 900.0, 2.0, 4.0]) == 3.0


def test_nothing_has_no_median():
    with pytest.raises(ValueError, match="no value"):
        middle([])


def test_twice_as_dear_is_a_half():
    assert ratio(ours=200.0, baseline=100.0) == 0.5


@pytest.mark.parametrize(("ours", "baseline"), [(0.0, 1.0), (1.0, 0.0), (-1.0, 1.0)])
def test_a_cost_of_nothing_is_a_mistake(ours: float, baseline: float):
    with pytest.raises(ValueError, match="greater than zero"):
        ratio(ours=ours, baseline=baseline)
