"""How soon a typed letter is on the screen: idle, while an answer streams, while the SDK is imported.

    python tests/benchmarks/key_echo.py [--quick] [--only WORD]

The SDK is imported when something has been typed. A letter counts as echoed with the chunk of output after
which the last five letters stand together in what was written; one that is painted together with a later
letter counts up to that one.
"""

from __future__ import annotations

import random
import time

from harness import PROMPT, Report, Server, Terminal, environment, main, outcrop, percentile, place, plain

KEYS = 60
SOME = "bcdfghjkmnpqrtvwxz"


def typed(program: Terminal, every: float, keys: int = KEYS) -> list[float]:
    """Type letters and return how long each took, in milliseconds."""
    chance = random.Random(3)
    text = "zqzq"
    program.send(text.encode())
    time.sleep(every)
    sent: list[tuple[float, str]] = []
    for _ in range(keys):
        letter = chance.choice([one for one in SOME if one != text[-1]])
        text += letter
        sent.append((program.send(letter.encode()), text[-5:]))
        time.sleep(every)
    time.sleep(0.6)
    seen: list[float | None] = []
    for at, tail in sent:
        rest = b""
        found = None
        for when, data in list(program.chunks):
            if when < at:
                continue
            rest = (rest + data)[-60000:]
            if tail.encode() in plain(rest):
                found = when
                break
        seen.append(found)
    after = None
    echoes: list[float] = []
    for (at, _), when in reversed(list(zip(sent, seen, strict=True))):
        after = when if when is not None else after
        if after is not None:
            echoes.append((after - at) * 1000)
    return echoes


def echo(server: Server, case: str) -> list[float]:
    """The echoes of one run of a case."""
    model = {"at 200/s": "fake-4000-200", "unlimited": "fake-64000-0"}.get(case, "fake-20-0")
    server.warm(model)
    with place() as folder, Terminal(outcrop(server, model), environment(folder)) as program:
        program.wait_for(PROMPT, 20)
        if case == "during the import":
            return typed(program, 0.02, 45)
        program.quiet(1.0, 10)
        time.sleep(1.0)
        if case == "idle":
            program.send(b"a")
            program.idle()
        else:
            program.send(b"go")
            program.idle()
            program.send(b"\r")
            time.sleep(0.3)
        return typed(program, 0.1 if case != "unlimited" else 0.05, KEYS if case != "unlimited" else 40)


TARGETS = {
    "idle": (6, 10, 20),
    "at 200/s": (10, 30, 60),
    "unlimited": (25, 50, 90),
    "during the import": (10, 30, 60),
}


def measure(report: Report, only: str) -> None:
    """Median, 95th percentile and maximum of each case."""
    with Server() as server:
        for case, (middle, most, worst) in TARGETS.items():
            if only not in case:
                continue
            runs = [echo(server, case) for _ in range(report.runs)]
            report.add(
                f"key echo {case}: median", [percentile(run, 0.5) for run in runs], "ms", middle, digits=0
            )
            report.add(f"key echo {case}: p95", [percentile(run, 0.95) for run in runs], "ms", most, digits=0)
            report.add(f"key echo {case}: max", [max(run) for run in runs], "ms", worst, digits=0)


if __name__ == "__main__":
    main(measure, __doc__)
