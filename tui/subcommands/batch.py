"""`outcrop batch FILE check` and `start`: records of a batch job are checked, uploaded and run."""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from tui.config.settings import load_settings
from tui.core.errors import InputError
from tui.core.leaving.batch_check import BatchReport, check_records
from tui.core.text import visible_line
from tui.export_files import open_regular
from tui.session.batch_job import BatchJob, aws_client, check_place, start

__all__ = ["run"]

_SHOWN: Final = 100
"""Findings that are printed; the rest is counted."""


def run(options: argparse.Namespace) -> int:
    """Check a file, and start the job where that is asked; 2 where a line is no record.

    Raises:
        InputError: The file cannot be read, or an argument is missing or wrong.
        OutcropError: The job cannot be started.
    """
    path = Path(options.file).expanduser()
    report = _report(path)
    if options.action == "check" or report.problems:
        _tell(path, report, options.json)
        if report.problems and options.action == "start":
            print("outcrop: Nothing was uploaded.", file=sys.stderr)
        return 2 if report.problems else 0
    job = _job(path, report, options)
    _confirm(job, report, options.yes)
    arn = start(job, path)
    if options.json:
        print(json.dumps({"job": arn, "records": job.input_uri, "results": job.output_uri}, indent=2))
    else:
        print(arn)
        print(f"The results will be in {visible_line(job.output_uri)}.", file=sys.stderr)
    return 0


def _report(path: Path) -> BatchReport:
    try:
        with open_regular(path) as file:
            return check_records(file)
    except InputError as error:
        raise InputError(f"{visible_line(str(path))}: {error}") from None


def _tell(path: Path, report: BatchReport, as_json: bool) -> None:
    if as_json:
        rows = [
            {"line": row.line or None, "message": row.message, "warning": row.warning}
            for row in report.findings
        ]
        counts = {"records": report.records, "bytes": report.size, "problems": report.problems}
        print(json.dumps({**counts, "findings": rows}, indent=2))
        return
    name = visible_line(path.name)
    for row in report.findings[:_SHOWN]:
        place = f"{name}:{row.line}" if row.line else name
        print(f"{place}: {'warning: ' if row.warning else ''}{visible_line(row.message)}")
    if (more := len(report.findings) - _SHOWN) > 0:
        print(f"and {more:,} more")
    print(f"{_counted(report.records, 'record')}, {_counted(report.problems, 'problem')}.", file=sys.stderr)


def _counted(number: int, word: str) -> str:
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def _job(path: Path, report: BatchReport, options: argparse.Namespace) -> BatchJob:
    asked = {"region": options.region, "aws_profile": options.aws_profile}
    settings = load_settings(asked, os.environ)
    for name in ("bucket", "role"):
        if not getattr(options, name):
            raise InputError(f"start needs --{name}.")
    model = options.model or next(iter(report.models), "")
    if not model:
        raise InputError("The records name no model: give --model, e.g. openai.gpt-oss-120b-1:0.")
    if report.models - {model}:
        raise InputError(f"The records name another model than --model {visible_line(model)}.")
    stem = re.sub(r"[^A-Za-z0-9]+", "-", path.stem).strip("-")[:30] or "records"
    name = options.name or f"{stem}-{datetime.now(UTC).strftime('%Y%m%d-%H%M%S')}"
    check_place(options.bucket, options.role, name, options.prefix)
    prefix = f"{options.prefix.strip('/')}/{name}".lstrip("/")
    job = BatchJob(
        name,
        model,
        settings.region,
        options.role,
        options.bucket,
        f"{prefix}/{stem}.jsonl",
        f"{prefix}/results/",
        settings.aws_profile,
    )
    aws_client("s3", job.region, job.aws_profile)  # what is missing is said before anything is asked
    return job


def _confirm(job: BatchJob, report: BatchReport, yes: bool) -> None:
    """Say what will be done, and ask.

    Raises:
        InputError: Nobody can be asked, or the answer is no.
    """
    warnings = [row.message for row in report.findings if row.warning and not row.line]
    said = [
        f"{_counted(report.records, 'record')} ({report.size:,} bytes) go to {job.input_uri}.",
        f"The job {job.name} asks {job.model} in {job.region} as {job.role}; results go to {job.output_uri}.",
        *warnings,
        "Both cost money.",
    ]
    for line in said:
        print(visible_line(line), file=sys.stderr)
    if yes:
        return
    if not sys.stdin.isatty():
        raise InputError("Nobody can be asked here: --yes uploads and starts without asking.")
    print("Upload and start? [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise InputError("Nothing was uploaded.")
