"""The keys of sealed data."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import click

from server.cli.root import explained, imported, settings_of


@click.group()
def keys() -> None:
    """The keys that personal data is sealed with: add, rotate, then retire an hour later."""


@contextmanager
def _key_kept() -> Iterator[None]:
    from kit.crypto.keys import KeyInUse, UnknownKey

    try:
        yield
    except KeyInUse as error:
        raise click.ClickException(f"not retired: {error}") from error
    except UnknownKey as error:
        raise click.ClickException(f"no key {error} in the ring") from error


@keys.command("add")
@click.pass_context
def add_key(context: click.Context) -> None:
    """Add a key and make it the current one; running processes seal with it within seconds."""
    from kit.crypto.keys import NOTICE_SECONDS

    settings, ring = settings_of(context), imported("server.wiring.keys")
    with explained():
        key_id = ring.add(settings)
    click.echo(f"{key_id} is current; running processes follow within {NOTICE_SECONDS:.0f} seconds.")
    click.echo("Next: yichuang keys rotate")


@keys.command("rotate")
@click.pass_context
def rotate_keys(context: click.Context) -> None:
    """Seal anew what older keys sealed, beside the running service; safe to stop and to repeat."""
    settings, ring = settings_of(context), imported("server.wiring.keys")
    with explained():
        left = asyncio.run(ring.rotate(settings, click.echo))
    if left:
        click.echo("not sealed with the current key:")
    for line in _sealed_lines(left):
        click.echo(line)
    if left:
        raise SystemExit(1)
    click.echo("everything is sealed with the current key")


@keys.command("status")
@click.pass_context
def key_status(context: click.Context) -> None:
    """Tell what each key has sealed, by column, and how many files."""
    settings, ring = settings_of(context), imported("server.wiring.keys")
    with explained():
        current, found = asyncio.run(ring.status(settings))
    click.echo(f"current: {current}")
    for line in _sealed_lines(found):
        click.echo(line)


@keys.command("retire")
@click.argument("key_id")
@click.pass_context
def retire_key(context: click.Context, key_id: str) -> None:
    """Set a former key aside; refused while anything is sealed with it."""
    settings, ring = settings_of(context), imported("server.wiring.keys")
    with explained(), _key_kept():
        aside = asyncio.run(ring.retire(settings, key_id))
    click.echo(f"{aside}: destroy it when no backup from before is needed any more. Restart the service to forget it.")


def _sealed_lines(counts: Mapping[str, Mapping[str, int]]) -> Iterator[str]:
    for key_id, counted in counts.items():
        yield f"{key_id or 'no key at all'}: {sum(counted.values())}"
        yield from (f"  {name}: {count}" for name, count in sorted(counted.items()))
