"""`outcrop sandbox`: serve the embedded endpoint until interrupted."""

from __future__ import annotations

import argparse
import os

from tui.config.settings import default_dirs
from tui.core.catalogue import is_region
from tui.core.errors import InputError

__all__ = ["run"]


def run(options: argparse.Namespace) -> int:
    """Serve; the base URL is printed first.

    Raises:
        InputError: The port or the region cannot be one.
    """
    region: str = options.region or "us-west-2"
    if not is_region(region):
        raise InputError(f"--region: {region!r} is not the name of a region; one looks like us-west-2.")
    port: int = options.port
    if not 0 <= port <= 65535:
        raise InputError(f"--port: {port} is no port; a port is 1 to 65535, or 0 for one that is free.")
    _, data_dir = default_dirs(os.environ)
    from tui.sandbox.server import serve_forever

    return serve_forever(data_dir / "sandbox", port, region)
