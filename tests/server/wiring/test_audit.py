"""`yichuang audit verify`, as an auditor types it."""

import asyncio
from pathlib import Path

from click.testing import CliRunner, Result

from kit.audit.sealer import seal_once
from kit.audit.service import Actor, record
from kit.clock import FixedClock
from kit.db import execute, transaction
from kit.db.connection import credentials, database
from server import setup
from server.cli import cli
from server.database import APPS
from server.settings import read
from server.wiring import audit
from tests.support.moments import NOON

DAY = 24 * 3600


def installed(folder: Path, url: str) -> Path:
    file = folder / "yichuang.toml"
    file.write_text(
        f'[database]\nurl = "{url}"\n[files]\ndirectory = "{folder}/files"\n'
        f'[crypto]\nkeys_directory = "{folder}/keys"\n'
    )
    return file


def verified(file: Path) -> Result:
    return CliRunner().invoke(cli, ["--settings", str(file), "audit", "verify"])


async def sealed_deeds(file: Path) -> None:
    """Three deeds, sealed; and, a day later, the anchor of their day."""
    settings = read(file)
    clock = FixedClock(NOON)
    setup.create_ed25519(audit.key_file(settings))
    sign = audit.signer(settings)
    async with database(credentials(settings.database.url), APPS):
        for number in range(3):
            async with transaction():
                await record(actor=Actor("staff", "s1"), action="case.accepted", subject=("case", f"c{number}"))
        await seal_once(sign, now=clock.now())
        clock.advance(seconds=2 * DAY)
        await seal_once(sign, now=clock.now())


async def forge(file: Path, statement: str) -> None:
    async with database(credentials(read(file).database.url), APPS):
        await execute(statement)


def test_an_untouched_trail_is_as_it_was_sealed(empty_database: str, tmp_path: Path):
    file = installed(tmp_path, empty_database)
    asyncio.run(sealed_deeds(file))
    said = verified(file)
    assert (said.exit_code, said.output) == (0, "the audit trail is as it was sealed\n")


def test_a_changed_deed_and_a_forged_anchor_are_found(empty_database: str, tmp_path: Path):
    file = installed(tmp_path, empty_database)
    asyncio.run(sealed_deeds(file))
    asyncio.run(forge(file, "UPDATE kit_audit SET action = 'case.refused' WHERE seq = 2"))
    asyncio.run(forge(file, "UPDATE kit_audit_anchor SET signature = 'AAAA'"))
    said = verified(file)
    assert said.exit_code == 1
    assert "changed at 2" in said.output
    assert "anchor_forged" in said.output


def test_without_the_anchors_key_it_says_so(empty_database: str, tmp_path: Path):
    file = installed(tmp_path, empty_database)
    asyncio.run(sealed_deeds(file))
    audit.public_key_file(read(file)).unlink()
    said = verified(file)
    assert said.exit_code != 0
    assert "audit_anchor.pem.pub is missing" in said.output
