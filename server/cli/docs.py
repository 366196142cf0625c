"""The pages that are written by the code itself."""

from pathlib import Path

import click

from server.cli.root import imported


@click.group()
def docs() -> None:
    """The pages of docs/ that are generated from the code."""


@docs.command("write")
@click.option(
    "--folder", type=click.Path(exists=True, file_okay=False, path_type=Path), default=Path("docs"), show_default=True
)
def write_docs(folder: Path) -> None:
    """Write settings.md and errors.md anew."""
    for name, text in imported("server.setup").documents().items():
        (folder / name).write_text(text, encoding="utf-8")
        click.echo(folder / name)
