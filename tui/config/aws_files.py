"""The profiles of AWS's two files: which there are, and the region of each."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from tui.core.aws import AwsProfile, profiles_in
from tui.core.errors import InputError
from tui.core.text import visible_line

__all__ = ["read_aws_profiles"]


def read_aws_profiles(environ: Mapping[str, str]) -> tuple[AwsProfile, ...]:
    """The profiles of AWS's two files, where the environment says that they are, or in ~/.aws.

    Raises:
        InputError: A file cannot be read.
    """
    texts: list[str] = []
    for variable, name in (("AWS_CONFIG_FILE", "config"), ("AWS_SHARED_CREDENTIALS_FILE", "credentials")):
        path = Path(environ.get(variable, "").strip() or f"~/.aws/{name}")
        try:
            texts.append(path.expanduser().read_text(encoding="utf-8"))
        except (FileNotFoundError, NotADirectoryError, RuntimeError):
            texts.append("")
        except (OSError, UnicodeDecodeError) as error:
            why = (
                os.strerror(error.errno).lower() if isinstance(error, OSError) and error.errno else "no UTF-8"
            )
            raise InputError(f"{visible_line(str(path))} cannot be read: {why}.") from None
    try:
        return profiles_in(*texts)
    except ValueError as error:
        raise InputError(f"AWS's profiles: {error}.") from None
