import pytest

from sandbox.demo.report import Report, Step
from sandbox.phones.journey import Journey, NotAsItShould


def fail() -> None:
    raise NotAsItShould("the fee is 0 fen")


def test_each_step_is_one_line_with_its_statuses(capsys: pytest.CaptureFixture[str]):
    journey = Journey()
    report = Report(journey)

    def act() -> None:
        for status in (201, 200, 201):
            journey.note(name="x", method="GET", path="/", status=status, code=None, ms=1)

    report.walk(Step(4, "submitted, 收件回执", act))
    report.walk(Step(11, "swept", lambda: None))
    first, second = capsys.readouterr().out.splitlines()
    assert first.split()[0] == "4"
    assert "200x1 201x2" in first
    assert second.split()[0] == "11"


def test_a_failing_step_says_so_and_stops_the_walk(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(NotAsItShould):
        Report(Journey()).walk(Step(6, "fee due", fail))
    assert "FAILED" in capsys.readouterr().out
