"""`doctor`: a report on the installation and the machine."""

from pathlib import Path
from typing import Annotated

import typer

from napari_unet_seg.cli._console import BAD_INPUT, say
from napari_unet_seg.cli._folders import make_folder


def doctor(
    report: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the report into this text file too."),
    ] = None,
) -> int:
    """Check versions, devices, the bundled models, Qt and OpenGL, memory and disks.

    The report, with the last errors of the log, holds no names of files and no data of patients,
    so that it can be sent to the developers. Ends with exit code 2 if a check fails.

    Example: napari-unet-seg doctor --report report.txt
    """
    from napari_unet_seg.doctor.report import sections
    from napari_unet_seg.io.disk.files import atomic

    found = []
    for section in sections():
        say(f"{section}\n")
        found.append(section)
    if report:
        make_folder(report.absolute().parent)
        with atomic(report) as path:
            path.write_text("\n\n".join(map(str, found)) + "\n", encoding="utf-8")
        say(f"The report is in {report}.")
    return 0 if all(section.good for section in found) else BAD_INPUT
