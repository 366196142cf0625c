import click
import pytest

from bench.__main__ import FIGURES, chosen


def test_all_figures_without_a_choice():
    assert chosen("") == list(FIGURES)


def test_figures_are_chosen_by_name():
    assert chosen(" verify_offline ,") == ["verify_offline"]


def test_an_unknown_figure_is_told_with_those_there_are():
    with pytest.raises(click.BadParameter, match=r"no figure nonsense; there are: .*verify_offline"):
        chosen("verify_offline,nonsense")
