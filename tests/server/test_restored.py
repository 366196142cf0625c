"""A backup taken while a case is under way, put back elsewhere with the same keys: the case goes on there."""

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from sandbox.demo import office
from tests.journeys import outcome
from tests.journeys.city import City, built
from tests.support.nursery import Nursery

BEFORE, AFTER = outcome.ACTS[:3], outcome.ACTS[3:]


@pytest.mark.timeout(180)
def test_the_case_goes_on_where_the_backup_is_restored(tmp_path: Path):
    database, target = f"sqlite:///{tmp_path / 'city.db'}", tmp_path / "backups" / "one.tar.gz"
    with closing(Nursery()) as nursery, built(tmp_path, database, nursery) as city, city.scene() as scene:
        for act in BEFORE:
            act(scene)
        outcome.become_quiet(city)  # what is told after a backup would be told once more after the restore
        assert "Keep the keys" in city.command("backup", str(target)), "taken while server and worker run"
        for program in ("server", "worker"):
            city.kill(program)
        restored = _beside(city)
        assert "restored" in restored.command("restore", str(target))
        restored.start_server()
        restored.start_worker()
        with closing(restored):
            for act in AFTER:
                act(scene)
            outcome.finished_once(restored, scene)
    assert not (restored.house.folder / "keys").exists()
    assert outcome.ACTS[3] is office.arrive, "the officer had not seen the case yet"


def _beside(city: City) -> City:
    """A house in an empty folder, known to its partners and its residents by the same addresses, with the same keys."""
    house = replace(city.house, folder=city.folder / "restored")
    (house.folder / "logs").mkdir(parents=True)
    database = f"sqlite:///{house.folder / 'city.db'}"
    text = city.house.settings_file.read_text(encoding="utf-8").replace(city.database_url, database)
    files = city.house.folder / "files"
    assert str(files) in text
    house.settings_file.write_text(text.replace(str(files), str(house.folder / "files")), encoding="utf-8")
    return replace(city, house=house, database_url=database, pids={})
