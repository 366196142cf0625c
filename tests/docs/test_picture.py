from pathlib import Path
from typing import Any, cast
from xml.etree import ElementTree as ET

from sandbox.demo import play

PICTURE = Path(__file__).parents[2] / "docs" / "images" / "journey.svg"


def test_the_picture_of_the_journey_has_every_step_of_the_demo() -> None:
    texts = [each.text or "" for each in ET.parse(PICTURE).iter("{http://www.w3.org/2000/svg}text")]  # noqa: S314 - ours
    shown = " ".join(texts)
    steps = list(play._steps(cast("Any", None)))
    assert steps
    assert [step.what for step in steps if step.what not in shown] == []
    assert {str(step.number) for step in steps} <= set(texts)
