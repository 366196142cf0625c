"""The `yichuang` command: the commands by noun, put under it here."""

from server.cli import audit, backups, bills, cases, docs, installation, keys, processes, staff
from server.cli.root import cli

__all__ = ["cli"]

for _command in (
    installation.prepare,
    installation.migrate,
    installation.seed,
    installation.offices,
    installation.check,
    processes.serve,
    processes.work,
    processes.up,
    staff.staff,
    cases.notify,
    bills.reconcile,
    audit.audit,
    keys.keys,
    backups.backup,
    backups.restore,
    docs.docs,
):
    cli.add_command(_command)
