"""The program: its commands, exit codes and error messages."""

from __future__ import annotations

import os
import sys
import warnings
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TextIO, cast

import typer

from napari_unet_seg import __version__, log
from napari_unet_seg.cli._console import BAD_INPUT, warn
from napari_unet_seg.cli._interrupt import STOPPED
from napari_unet_seg.cli._settings import settings_help
from napari_unet_seg.cli.commands.doctor import doctor
from napari_unet_seg.cli.commands.evaluate import evaluate
from napari_unet_seg.cli.commands.export import export
from napari_unet_seg.cli.commands.import_ import import_
from napari_unet_seg.cli.commands.open_ import open_
from napari_unet_seg.cli.commands.predict.command import predict
from napari_unet_seg.cli.commands.refine import refine
from napari_unet_seg.cli.commands.train import finetune, train
from napari_unet_seg.config import CocoOptions, PredictConfig, TrainConfig
from napari_unet_seg.errors import NewerVersionWarning, SegmentationError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

NAME = "napari-unet-seg"

# typer brings a click of its own or takes the installed one, by its version.
_UsageError = cast("type[Exception]", typer.BadParameter.__mro__[1])

app = typer.Typer(
    name=NAME,
    add_completion=False,
    rich_markup_mode=None,
    no_args_is_help=True,
    context_settings={"max_content_width": 100},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"{NAME} {__version__}")
        raise typer.Exit


@app.callback()
def _about(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", help="Show what is written into the log, with details.")
    ] = False,
) -> None:
    """Segment brain MRI with U-Nets: import COCO, train, predict, correct, fine-tune.

    Exit codes: 0 success; 2 some input was bad: each is named in a line, and the rest has been
    processed; 130 stopped by Ctrl+C.
    """
    if verbose:
        log.show()


app.command("import")(import_)
app.command("train", epilog=settings_help(TrainConfig))(train)
app.command("finetune", epilog=settings_help(TrainConfig))(finetune)
app.command("predict", epilog=settings_help(PredictConfig))(predict)
app.command("refine")(refine)
app.command("evaluate")(evaluate)
app.command("export", epilog=settings_help(CocoOptions))(export)
app.command("open")(open_)
app.command("doctor")(doctor)


def run(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code; every error becomes one line."""
    log.start()
    given = sys.argv[1:] if arguments is None else list(arguments)
    words = [Path(word).name for word in given if not word.startswith("-")][:8]
    try:
        with _warnings_in_one_line(), log.operation(NAME, arguments=" ".join(words)) as facts:
            code = _command(given)
            facts["exit"] = code
            return code
    except SegmentationError as error:
        warn(f"{NAME}: {error}")
        return BAD_INPUT
    except _UsageError as error:
        return _wrong_usage(error)
    except (typer.Abort, KeyboardInterrupt):
        return STOPPED
    except BrokenPipeError:
        # The reader of the output has ended, `head` for example.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        # For example a folder without read permission; reading and writing of files raise
        # SegmentationErrors.
        log.logger.error("%s failed", NAME, exc_info=error)
        warn(f"{NAME}: {error.filename or 'A file'}: {error.strerror}; check it and try again.")
        return BAD_INPUT
    except Exception as error:
        warn(f"{NAME}: {log.problem(error, next(iter(words), NAME))}")
        return BAD_INPUT


def _command(arguments: list[str]) -> int:
    command = typer.main.get_command(app)
    result = command.main(args=arguments, prog_name=NAME, standalone_mode=False)
    return int(result or 0)


@contextmanager
def _warnings_in_one_line() -> Iterator[None]:
    """Show warnings about the user's files in one line; keep those of libraries in the log."""

    def show(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        if issubclass(category, NewerVersionWarning):
            warn(f"{NAME}: {message}")
        else:
            log.keep_warning(message, category, filename, lineno)

    with warnings.catch_warnings():
        warnings.showwarning = show
        yield


def _wrong_usage(error: Any) -> int:
    """Show the help if no command was given, else one line with the problem."""
    path = error.ctx.command_path if error.ctx else NAME
    message = error.format_message()
    if "\n" in message:
        typer.echo(message)
    else:
        warn(f"{NAME}: {message.rstrip('.')}; see {path} --help.")
    return BAD_INPUT
