"""Accounts of those who work here."""

import asyncio
import json
import sys

import click

from server.cli.root import explained, imported, settings_of

_ROLES = "officer, operator, clerk, finance, auditor or admin; repeatable."


@click.group()
def staff() -> None:
    """Accounts of officers, operators, finance, auditors and administrators."""


@staff.command("create")
@click.option("--username", required=True)
@click.option("--name", required=True, help="The person's name, as shown to colleagues.")
@click.option("--role", "roles", multiple=True, required=True, help=_ROLES)
@click.option("--district", "districts", multiple=True, help="Six digits; repeatable; none means every district.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input instead of asking.")
@click.pass_context
def create_staff(
    context: click.Context,
    username: str,
    name: str,
    roles: tuple[str, ...],
    districts: tuple[str, ...],
    password_stdin: bool,  # noqa: FBT001 - click passes options so
) -> None:
    """Create an account; prints its id and the address for the authenticator app, once."""
    password = (
        sys.stdin.readline().rstrip("\n")
        if password_stdin
        else click.prompt("Password", hide_input=True, confirmation_prompt=True)
    )
    settings, setup = settings_of(context), imported("server.setup")
    account = {"username": username, "name": name, "roles": roles, "districts": districts, "password": password}
    with explained():
        created = asyncio.run(setup.create_staff(settings, **account))
    click.echo(json.dumps(created, ensure_ascii=False))


@staff.command("disable")
@click.option("--username", required=True)
@click.pass_context
def disable_staff(context: click.Context, username: str) -> None:
    """Close an account at once; whoever is signed in with it is out within 5 seconds."""
    settings, setup = settings_of(context), imported("server.setup")
    with explained():
        staff_id = asyncio.run(setup.disable_staff(settings, username=username))
    click.echo(f"disabled: {staff_id}")
