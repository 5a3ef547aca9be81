from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from support.sandbox_api import MODEL, Api, Clock

from tui.sandbox.server import SandboxServer

SERVE = """
import sys
from pathlib import Path
from tui.sandbox.server import serve_forever
sys.exit(serve_forever(Path(sys.argv[1]), int(sys.argv[2]), "us-west-2"))
"""


def test_starts_and_stops_at_once_and_leaves_no_thread(tmp_path: Path) -> None:
    before = threading.active_count()
    for _ in range(2):
        server = SandboxServer(tmp_path)
        url = server.start()
        assert url.startswith("http://127.0.0.1:") and url.endswith("/openai/v1")
        assert httpx.get(url + "/models").status_code == 401
        begun = time.monotonic()
        server.stop()
        assert time.monotonic() - begun < 0.5
    server.stop()
    assert threading.active_count() == before
    with pytest.raises(httpx.ConnectError):
        httpx.get(url)


def test_stop_cuts_open_streams(tmp_path: Path) -> None:
    server = SandboxServer(tmp_path)
    url = server.start()
    body = {"model": "fake-100-1", "input": "x", "stream": True}
    with (
        httpx.Client(headers={"authorization": "Bearer sandbox"}) as client,
        client.stream("POST", url + "/responses", json=body) as reply,
    ):
        next(reply.iter_raw())
        begun = time.monotonic()
        server.stop()
        assert time.monotonic() - begun < 1
    assert server.log[-1].ended


def test_signals_of_the_process_are_left_alone(tmp_path: Path) -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with SandboxServer(tmp_path):
        assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_nothing_is_printed_or_logged_even_when_a_stream_is_cut(
    api: Api, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    api.server.fault({"cut_bytes": 10})
    with pytest.raises(httpx.RemoteProtocolError):
        api.http.post(api.url + "/responses", json={"model": MODEL, "input": "x", "stream": True})
    api.server.stop()
    out, err = capfd.readouterr()
    assert (out, err) == ("", "")
    assert not [r for r in caplog.records if r.name.startswith("uvicorn")]


def test_ids_and_clock_make_answers_repeat(tmp_path: Path, clock: Clock) -> None:
    def answers(folder: Path) -> Iterator[bytes]:
        counts: dict[str, int] = {}

        def ids(prefix: str) -> str:
            counts[prefix] = counts.get(prefix, 0) + 1
            return f"{prefix}_{counts[prefix]:04}"

        server = SandboxServer(folder, clock=clock, ids=ids)
        url = server.start()
        headers = {"authorization": "Bearer sandbox"}
        for prompt in ("One", "Two"):
            reply = httpx.post(
                url + "/responses", json={"model": MODEL, "input": prompt, "stream": True}, headers=headers
            )
            yield reply.content + repr(reply.headers.raw).encode()
        server.stop()

    first, second = list(answers(tmp_path / "a")), list(answers(tmp_path / "b"))
    assert first == second
    assert b"resp_0002" in first[1]


def test_two_servers_share_a_folder(tmp_path: Path, clock: Clock) -> None:
    with SandboxServer(tmp_path, clock=clock) as one, SandboxServer(tmp_path, clock=clock) as two:
        apis = [Api(server, f"http://127.0.0.1:{server.port}/openai/v1", clock) for server in (one, two)]
        first = apis[0].create("My name is Ada")
        assert "Ada" in str(apis[1].create("What is my name?", previous_response_id=first["id"])["output"])
        for api in apis:
            api.http.close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_served_until_a_signal(tmp_path: Path, number: signal.Signals) -> None:
    command = [sys.executable, "-c", SERVE, str(tmp_path), "0"]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment, text=True
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        url = process.stdout.readline().strip()
        assert url.startswith("http://127.0.0.1:")
        reply = httpx.post(
            url + "/responses", headers={"authorization": "Bearer sandbox"},
            json={"model": MODEL, "input": "Reply with exactly: ok"},
        )  # fmt: skip
        assert reply.json()["output"][0]["content"][0]["text"] == "ok"
        process.send_signal(number)
        assert process.wait(5) == 0
        assert process.stdout.read() == "" and process.stderr.read() == ""


def test_a_taken_port_is_said_in_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from tui.sandbox.server import serve_forever

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert serve_forever(tmp_path, port, "us-west-2") == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1 and str(port) in err


def test_region_decides_about_models_and_summary_can_be_refused(tmp_path: Path, clock: Clock) -> None:
    with SandboxServer(tmp_path, region="us-east-2", clock=clock, refuse_summary=True) as server:
        api = Api(server, f"http://127.0.0.1:{server.port}/openai/v1", clock)
        api.create("Hi", model="openai.gpt-5.5")
        assert api.refused(404, model="openai.gpt-6-astra", input="x")["code"] == "not_found_error"
        summary = {"effort": "low", "summary": "auto"}
        assert api.refused(400, model=MODEL, input="x", reasoning=summary)["param"] == "reasoning.summary"
        api.http.close()


def test_quota_counts_the_output_limit_and_not_requests(tmp_path: Path, clock: Clock) -> None:
    with SandboxServer(tmp_path, clock=clock, tokens_per_minute=3000) as server:
        api = Api(server, f"http://127.0.0.1:{server.port}/openai/v1", clock)
        # Without a limit of its own a request counts the model's maximum.
        assert api.refused(429, model=MODEL, input="Hi")["code"] == "rate_limit_exceeded"
        api.create("Hi", max_output_tokens=1000)
        api.create("Hi", max_output_tokens=1000)
        clock.now += 40
        reply = api.post(model=MODEL, input="Hi", max_output_tokens=1000)
        assert reply.status_code == 429 and reply.headers["retry-after"] == "20"
        clock.now += 20
        api.create("Hi", max_output_tokens=1000)
        api.http.close()


def test_without_retention_nothing_is_kept(tmp_path: Path, clock: Clock) -> None:
    with SandboxServer(tmp_path, clock=clock, retention=False) as server:
        api = Api(server, f"http://127.0.0.1:{server.port}/openai/v1", clock)
        for wish in ({"store": True}, {"background": True}):
            assert api.refused(400, model=MODEL, input="Hi", **wish)["param"] == "store"
        made = api.create("Hi")
        assert made["store"] is False
        assert api.http.get(f"{api.url}/responses/{made['id']}").status_code == 404
        api.http.close()
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_refused_request_is_in_the_log_with_its_body(api: Api) -> None:
    httpx.post(
        api.url + "/responses", json={"model": MODEL, "input": "x"}, headers={"authorization": "Bearer no"}
    )
    assert api.server.log[-1].status == 401
    assert api.server.log[-1].json == {"model": MODEL, "input": "x"}


def test_an_answer_does_not_wait_for_the_clients_acknowledgement(api: Api) -> None:
    # Without TCP_NODELAY the head of an answer is sent and its body held back, for up to 40 ms.
    accepted: list[socket.socket] = []

    def clock() -> float:
        running = api.server._server
        assert running is not None
        for connection in running.server_state.connections:
            accepted.append(connection.transport.get_extra_info("socket"))
        return api.clock.now

    api.server._service.clock = clock
    api.create("Reply with exactly: ok")
    assert accepted[0].getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_nothing_heavy_is_imported_before_it_is_needed() -> None:
    code = (
        "import sys, tui.sandbox.server\n"
        "print([m for m in ('pypdf', 'bpe_openai', 'httpx', 'openai') if m in sys.modules])"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True
    )
    assert done.stdout.strip() == "[]"
