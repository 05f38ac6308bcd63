"""The Qt binding and OpenGL of the window.

Run as `python -m napari_unet_seg._napari.report.graphics`, since Qt ends a process that has no
display, and a driver may crash.
"""

from __future__ import annotations

import sys

from qtpy import API_NAME, QT_VERSION
from qtpy.QtGui import QGuiApplication, QOffscreenSurface, QOpenGLContext
from vispy.gloo import gl


def write_graphics() -> bool:
    """Write the versions of Qt and OpenGL to standard output; return whether OpenGL works."""
    # Line by line, so that a crash tells how far the check came.
    _write(f"{API_NAME}, Qt {QT_VERSION}")
    application = QGuiApplication(sys.argv[:1])
    _write(f"platform: {application.platformName()}")
    surface, context = QOffscreenSurface(), QOpenGLContext()
    surface.create()
    if not (context.create() and context.makeCurrent(surface)):
        _write("OpenGL: no context can be made; install the driver of the graphics card")
        return False
    for name in ("VERSION", "RENDERER", "VENDOR"):
        _write(f"OpenGL {name.lower()}: {gl.glGetParameter(getattr(gl, f'GL_{name}'))}")
    context.doneCurrent()
    return True


def _write(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(not write_graphics())
