"""Migrations of a small app written for the test, each run in a process of its own as the command does."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import pymysql
import pytest

from tests.conftest import PORT
from tests.support import mariadb

ROOT = Path(__file__).parents[3]
MODELS = """
from tortoise import fields, models

class Shelf(models.Model):
    id = fields.CharField(max_length=32, primary_key=True)
    class Meta:
        app = "shop"
        table = "shop_shelf"

class Book(models.Model):
    id = fields.CharField(max_length=32, primary_key=True)
    openid = fields.CharField(max_length=64, unique=True)
    shelf = fields.ForeignKeyField("shop.Shelf", on_delete=fields.RESTRICT)
    class Meta:
        app = "shop"
        table = "shop_book"
"""
FIRST = """
from tortoise import migrations
from tortoise.migrations import operations as ops
from tortoise import fields
from tortoise.fields.base import OnDelete

class Migration(migrations.Migration):
    initial = True
    operations = [
        ops.CreateModel(
            name="Shelf",
            fields=[("id", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=32))],
            options={"table": "shop_shelf", "app": "shop", "pk_attr": "id"},
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Book",
            fields=[
                ("id", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=32)),
                ("openid", fields.CharField(unique=True, max_length=64)),
                ("shelf", fields.ForeignKeyField("shop.Shelf", source_field="shelf_id", db_constraint=True,
                    to_field="id", on_delete=OnDelete.RESTRICT)),
            ],
            options={"table": "shop_book", "app": "shop", "pk_attr": "id"},
            bases=["Model"],
        ),
    ]
"""
SECOND = """
from tortoise import fields, migrations
from tortoise.migrations import operations as ops

class Migration(migrations.Migration):
    dependencies = [("shop", "0001_initial")]
    operations = [ops.AddField(model_name="Book", name="note", field=fields.CharField(max_length=32, null=True))]
"""
RUN = """
import asyncio, sys
from kit.db.connection import credentials, database
from kit.db.migrate import migrate, pending
connection, apps = credentials(sys.argv[2]), {"shop": ["shop.models"]}
async def left():
    async with database(connection, apps):
        print(*await pending(connection, apps))
def progress(event, app, name):
    if event == "apply_done":
        print(name)
asyncio.run(left() if sys.argv[1] == "pending" else migrate(connection, apps, progress=progress))
"""


@pytest.fixture(params=["sqlite", "mariadb"])
def url(request: pytest.FixtureRequest, tmp_path: Path, worker_name: str) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/shop.db"
    return mariadb.fresh_schema(int(os.environ[PORT]), f"yichuang_shop_{worker_name}")


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """The folder of an app with one migration."""
    folder = tmp_path / "shop"
    (folder / "migrations").mkdir(parents=True)
    for path in (folder, folder / "migrations"):
        (path / "__init__.py").touch()
    (folder / "models.py").write_text(MODELS)
    (folder / "migrations" / "0001_initial.py").write_text(FIRST)
    return folder


def _start(what: str, url: str, shop: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", RUN, what, url],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{ROOT}:{shop.parent}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _finish(process: subprocess.Popen[str]) -> list[str]:
    out, problems = process.communicate(timeout=60)
    assert process.returncode == 0, problems
    return out.split()


def _run(what: str, url: str, shop: Path) -> list[str]:
    return _finish(_start(what, url, shop))


@pytest.fixture
def cursor(url: str) -> Iterator[pymysql.cursors.Cursor]:
    parts = urlsplit(url)
    connection = pymysql.connect(
        host=parts.hostname, port=parts.port or 0, user="root", database=parts.path[1:], autocommit=True
    )
    with closing(connection), connection.cursor() as found:
        yield found


def test_an_empty_database_is_brought_up_to_date_step_by_step(url: str, shop: Path):
    assert _run("pending", url, shop) == ["shop.0001_initial"]
    assert _run("migrate", url, shop) == ["0001_initial"]
    assert _run("pending", url, shop) == []
    (shop / "migrations" / "0002_note.py").write_text(SECOND)
    assert _run("pending", url, shop) == ["shop.0002_note"]
    assert _run("migrate", url, shop) == ["0002_note"]
    assert _run("migrate", url, shop) == []


@pytest.mark.parametrize("url", ["mariadb"], indirect=True)
def test_two_at_once_take_turns(url: str, shop: Path):
    both = [_start("migrate", url, shop) for _ in range(2)]
    assert sorted(_finish(process) for process in both) == [[], ["0001_initial"]]


@pytest.mark.parametrize("url", ["mariadb"], indirect=True)
def test_who_comes_second_waits(url: str, shop: Path, cursor: pymysql.cursors.Cursor):
    cursor.execute("SELECT GET_LOCK(CONCAT('yichuang:', SHA1(DATABASE())), 0)")
    second = _start("migrate", url, shop)
    time.sleep(1)
    cursor.execute("SHOW TABLES")
    assert (second.poll(), cursor.fetchall()) == (None, ())
    cursor.execute("SELECT RELEASE_ALL_LOCKS()")
    assert _finish(second) == ["0001_initial"]


@pytest.mark.parametrize("url", ["mariadb"], indirect=True)
def test_every_column_tells_letters_apart(url: str, shop: Path, cursor: pymysql.cursors.Cursor):
    _run("migrate", url, shop)
    # A table that something else made in the server's own collation is converted with the next run.
    cursor.execute("CREATE TABLE shop_other (name VARCHAR(20) PRIMARY KEY) CHARACTER SET utf8mb4")
    cursor.execute("CREATE TABLE shop_mixed (a VARCHAR(9) COLLATE utf8mb4_general_ci) COLLATE utf8mb4_bin")
    (shop / "migrations" / "0002_note.py").write_text(SECOND)
    _run("migrate", url, shop)
    cursor.execute(
        "SELECT table_name, collation_name FROM information_schema.columns "
        "WHERE table_schema = DATABASE() AND collation_name IS NOT NULL"
    )
    found = cursor.fetchall()
    assert {table for table, _ in found} == {
        "shop_shelf",
        "shop_book",
        "shop_other",
        "shop_mixed",
        "tortoise_migrations",
    }
    assert {collation for _, collation in found} == {"utf8mb4_bin"}
    cursor.execute("INSERT INTO shop_shelf (id) VALUES ('s')")
    for number, openid in enumerate(("oAbC", "oabc", "𠮷", "😀", "é", "e")):
        cursor.execute("INSERT INTO shop_book (id, openid, shelf_id) VALUES (%s, %s, 's')", (str(number), openid))
        cursor.execute("INSERT INTO shop_other (name) VALUES (%s)", (openid,))
    cursor.execute("SELECT id FROM shop_book WHERE openid = 'oabc'")
    assert cursor.fetchall() == (("1",),)
