"""The audit trail."""

import asyncio

import click

from server.cli.root import explained, imported, settings_of


@click.group()
def audit() -> None:
    """The audit trail."""


@audit.command("verify")
@click.pass_context
def verify_audit(context: click.Context) -> None:
    """Check the whole chain and its daily anchors; exit 1 when anything was changed, removed or forged."""
    settings, once = settings_of(context), imported("server.setup")
    with explained():
        findings = asyncio.run(once.verify_audit(settings))
    for finding in findings:
        click.echo(f"{finding.fault} at {finding.seq}" + (f" (anchor of {finding.day})" if finding.day else ""))
    if findings:
        raise SystemExit(1)
    click.echo("the audit trail is as it was sealed")
