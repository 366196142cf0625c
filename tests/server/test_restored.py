"""A backup taken while a case is under way, put back elsewhere with the same keys: the case goes on there."""

from contextlib import closing
from dataclasses import replace
from pathlib import Path

from sandbox.demo import office
from sandbox.run.houses import Houses
from tests.journeys import outcome
from tests.journeys.city import City, built
from tests.support.nursery import Nursery

# The officer has not seen the case yet.
_ARRIVAL = outcome.ACTS.index(office.arrive)
BEFORE, AFTER = outcome.ACTS[:_ARRIVAL], outcome.ACTS[_ARRIVAL:]


def test_the_case_goes_on_where_the_backup_is_restored(tmp_path: Path):
    database, target = f"sqlite:///{tmp_path / 'city.db'}", tmp_path / "backups" / "one.tar.gz"
    with closing(Nursery()) as nursery, built(tmp_path, database, nursery) as city, city.scene() as scene:
        outcome.let_all_be_asked(scene)
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
        scene.houses = Houses(restored.house, restored.house)
        with closing(restored):
            for act in AFTER:
                act(scene)
            outcome.finished_once(restored, scene)
    assert not (restored.house.folder / "keys").exists()


def _beside(city: City) -> City:
    """A house in an empty folder, known to its partners and its residents by the same addresses, with the same keys."""
    house = replace(city.house, folder=city.folder / "restored")
    (house.folder / "logs").mkdir(parents=True)
    database = f"sqlite:///{house.folder / 'city.db'}"
    text = city.house.settings_file.read_text(encoding="utf-8").replace(city.database_url, database)
    files = city.house.folder / "files"
    assert str(files) in text
    for name in ("files", "clock"):
        text = text.replace(f'"{city.house.folder / name}"', f'"{house.folder / name}"')
    house.settings_file.write_text(text, encoding="utf-8")
    (house.folder / "seal").symlink_to(city.house.folder / "seal")
    (house.folder / "clock").write_text(str(city.offset_seconds))
    return replace(city, house=house, database_url=database, pids={})
