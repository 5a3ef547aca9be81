"""The sandbox as a server: uvicorn on loopback, in a thread and a loop of its own."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, Self

import uvicorn

from .faults import Fault
from .log import ServedLog
from .place import EndpointName
from .routes import build
from .service import Options, Service
from .shapes import Json
from .tokens import TokenizerName

HOST = "127.0.0.1"


class SandboxServer:
    """The embedded endpoint, reachable over HTTP on loopback only.

    It stands for both endpoints, in every region: see `base_url`.

    Args:
        state_dir: where stored responses are kept; a later server on the same folder continues their chains.
        port: 0 takes a free one.
        region: the one of `start()`'s base URL.
        rate: output tokens per second; None for as fast as possible.
        clock: seconds since the epoch.
        ids: makes an id from a prefix (`resp`, `msg`, `rs`, `fc`, `ctc`, `call`, `req`), for stable pictures.
        refuse_summary: refuse `reasoning.summary` always (True), never (False) or, None, as the models do.
        background_seconds: how long a background response takes.
        resume_streams: whether a background stream can be taken up again with `starting_after`.
        retention: False stands for an account whose retention mode is none.
        tokens_per_minute: the quota of each endpoint in each region; None for no limit.
        retry_after: whether a 429 of the quota says when to come back.
        tokenizer: `bpe`, `words`, or `auto`: bpe-openai where it is installed, else words. With `words`
            counts and deltas are the same on every machine.

    Attributes:
        log: what was served.
        port: the one it listens on, once started.
    """

    def __init__(
        self,
        state_dir: Path,
        *,
        region: str = "us-west-2",
        port: int = 0,
        rate: float | None = None,
        clock: Callable[[], float] = time.time,
        ids: Callable[[str], str] | None = None,
        refuse_summary: bool | None = None,
        background_seconds: float = 2.0,
        resume_streams: bool = True,
        retention: bool = True,
        tokens_per_minute: int | None = None,
        retry_after: bool = True,
        tokenizer: TokenizerName = "auto",
    ) -> None:
        options = Options(
            region=region,
            rate=rate,
            clock=clock,
            ids=ids,
            refuse_summary=refuse_summary,
            background_seconds=background_seconds,
            resume_streams=resume_streams,
            retention=retention,
            tokens_per_minute=tokens_per_minute,
            retry_after=retry_after,
            tokenizer=tokenizer,
        )
        self._service = Service(state_dir, options)
        self.log: ServedLog = self._service.log
        self.port = port
        self._thread: threading.Thread | None = None
        self._server: _Server | None = None

    def fault(self, fault: dict[str, Any]) -> None:
        """Queue a fault for the next request that it fits (see `tui.sandbox.faults.Fault` for the names).

        Raises:
            ValueError: an unknown name or a value of the wrong type.
        """
        self._service.faults.add(Fault.parse(fault))

    def clear_faults(self) -> None:
        """Forget the faults that still wait."""
        self._service.faults.clear()

    def base_url(
        self, endpoint: EndpointName = "mantle", region: str | None = None, route: str = "/openai/v1"
    ) -> str:
        """Where an endpoint is served (`tui.sandbox.place` has all forms).

        Args:
            endpoint: `mantle`, `runtime`, or `control` for the control plane, which has no route.
            region: another than the server's own.
            route: `/openai/v1`, or `/v1` for gpt-oss on mantle, or "" for runtime's own APIs (boto3's).
        """
        below = {"mantle": "", "runtime": "/runtime", "control": "/bedrock"}[endpoint]
        route = "" if endpoint == "control" else route
        return f"http://{HOST}:{self.port}{f'/{region}' if region else ''}{below}{route}"

    def context_of(self, response_id: str) -> list[Json]:
        """The input items that a stored response was made from, out of the store alone.

        Inputs and outputs of the responses before it in its chain, oldest first, then its own input.

        Raises:
            LookupError: it, or one before it, is not stored.
        """
        return self._service.context_of(response_id)

    def last_context(self) -> list[Json]:
        """The input items of the newest accepted create request, the chain's first; stored or not.

        Raises:
            LookupError: there was none.
        """
        return self._service.last_context()

    def start(self) -> str:
        """Serve, and return mantle's base URL once connections are accepted.

        Raises:
            OSError: the port is taken.
        """
        if self._thread is not None:
            raise RuntimeError("the sandbox runs already")
        listener = _listen(self.port)
        self.port = listener.getsockname()[1]
        _quiet()
        config = uvicorn.Config(
            build(self._service),
            loop="asyncio",
            http="h11",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=False,
            timeout_keep_alive=120,
        )
        server = self._server = _Server(config)
        self._thread = threading.Thread(
            target=server.run_on, args=(listener,), name="outcrop-sandbox", daemon=True
        )
        self._thread.start()
        server.ready.wait()
        if not self._thread.is_alive():
            raise RuntimeError("the sandbox did not start")
        return self.base_url()

    def stop(self) -> None:
        """Close every connection and end the thread; open streams are cut. Harmless when it does not run."""
        if self._thread is None or self._server is None:
            return
        self._server.end()
        self._thread.join(5)
        self._thread = self._server = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class _Server(uvicorn.Server):
    """uvicorn without signals, with a hurried end."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ending = asyncio.Event()

    def run_on(self, listener: socket.socket) -> None:
        """The thread's whole life; the socket is closed at its end."""
        try:
            asyncio.run(self.serve(sockets=[listener]))
        finally:
            listener.close()
            self.ready.set()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Tell the starting thread when connections are accepted."""
        await super().startup(sockets)
        self._loop = asyncio.get_running_loop()
        self.ready.set()

    async def main_loop(self) -> None:
        """Wait for the end; uvicorn's own loop wakes up ten times a second, beside a TUI that is idle."""
        await self._ending.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End at once: nobody waits for an answer of a sandbox that is told to stop."""
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            transport = getattr(connection, "transport", None)
            if isinstance(transport, asyncio.Transport):
                transport.abort()
        tasks = list(self.server_state.tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def end(self) -> None:
        """Stop from another thread."""
        if self._loop is not None:
            # The loop may have ended by itself just now.
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._ending.set)


def _listen(port: int) -> socket.socket:
    # With the protocol named, asyncio sets TCP_NODELAY;
    # else the second part of an answer waits for an ACK, 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if sys.platform != "win32":
            # There, the option would let two servers share a port.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, port))
        listener.listen(128)
    except OSError:
        listener.close()
        raise
    return listener


def _quiet() -> None:
    """Nothing of uvicorn's may be written into a terminal that a TUI owns."""
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "uvicorn.asgi"):
        logger = logging.getLogger(name)
        logger.handlers = [logging.NullHandler()]
        logger.propagate = False


def serve_forever(state_dir: Path, port: int, region: str, *, rate: float | None = None) -> int:
    """What `outcrop sandbox` does: print the base URL, then serve until SIGINT or SIGTERM.

    Args:
        state_dir: the folder of stored responses.
        port: 0 takes a free one.
        region: the region it stands for.
        rate: output tokens per second, or None.

    Returns:
        The exit status: 0 after a signal, 1 where the port or the folder cannot be had.
    """
    try:
        server = SandboxServer(state_dir, region=region, port=port, rate=rate)
    except OSError as error:
        print(f"outcrop: the folder {state_dir} cannot be used: {error.strerror or error}.", file=sys.stderr)
        return 1
    ended = threading.Event()

    def end(number: int, frame: FrameType | None) -> None:
        ended.set()

    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        try:
            url = server.start()
        except OSError as error:
            print(
                f"outcrop: port {port} on {HOST} cannot be had: {error.strerror or error}.", file=sys.stderr
            )
            return 1
        print(url, flush=True)
        # A wait without end is not interrupted by a signal on Windows.
        while not ended.wait(0.5):
            pass
        return 0
    finally:
        server.stop()
        for number, handler in before.items():
            signal.signal(number, handler)
