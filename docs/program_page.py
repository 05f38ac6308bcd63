"""Fills reference/program.md with the options of the program, as its typer app has them."""

from __future__ import annotations

from typing import Any

import typer
from typer.cli import get_docs_for_click

from napari_unet_seg.cli._app import NAME, app

_MARK = "<!-- program -->"
_SETTINGS = "Keys of `--set` and of the file for `--config`: [settings](settings.md)."


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Replace the mark, where a page has it."""
    return markdown.replace(_MARK, _program()) if _MARK in markdown else markdown


def _program() -> str:
    program = typer.main.get_command(app)
    for command in program.commands.values():
        # The help of the program lists the settings; the pages have them in one place.
        command.short_help = command.help.partition("\n\n")[0]  # whole, not cut at 45 letters
        command.epilog = _SETTINGS if command.epilog else None
    context = typer.Context(program, info_name=NAME)
    text = get_docs_for_click(obj=program, ctx=context, name=NAME)
    return text.replace(f"# `{NAME}`\n", "", 1)
