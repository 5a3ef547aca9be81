"""Checks without a server: what to do next after each failure, and the reports."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from support.junit import assert_junit

import tui.core.catalogue as module
from tui.checks.running import left_out_lines
from tui.checks.table import CHECKS, chosen, price_words
from tui.core.catalogue_file import parse_catalogue
from tui.core.checks.advice import Circumstances, next_step
from tui.core.checks.report import document, junit_xml
from tui.core.checks.results import CheckResult, cost_words, spent
from tui.core.costs import CostEstimate
from tui.core.errors import (
    ConnectError,
    HttpStatusError,
    InputError,
    OutcropError,
    ResponseError,
    StoreError,
    StreamError,
    TokenMissing,
    TokenRefused,
    TokenUnusable,
    WireError,
)
from tui.core.items import Target
from tui.subcommands.check_table import row_lines, summary_lines, title_lines

CATALOGUE = parse_catalogue(Path(module.__file__).with_name("catalogue.toml").read_text(encoding="utf-8"))
TARGET = Target("openai.gpt-5.4", "us-west-2", "mantle", "https://bedrock-mantle.us-west-2.api.aws/openai/v1")
HERE = Circumstances(TARGET, CATALOGUE)


def refused(status: int, said: str, **more: Any) -> HttpStatusError:
    kind = TokenRefused if status in (401, 403) else HttpStatusError
    return kind(f"The server refused the request ({status}). It said: {said}", status=status, **more)


ASTRA = replace(TARGET, model="openai.gpt-6-sol")
STEPS: list[tuple[OutcropError, Circumstances, str]] = [
    (TokenMissing("There is none."), HERE, "Make a Bedrock API key for us-west-2"),
    (TokenUnusable("Elsewhere."), replace(HERE, token_region="us-east-1"), "Use --region us-east-1, or make"),
    (TokenUnusable("Expired."), replace(HERE, token_region="us-west-2"), "Make a new key for us-west-2"),
    (refused(401, "The security token is invalid."), HERE, "made for us-west-2: a key of another region"),
    (
        refused(401, "The security token is invalid."),
        replace(HERE, token_kind="short-term", token_region="us-west-2"),
        "the session that made it may have ended, or IAM does not allow bedrock-mantle:CallWithBearerToken",
    ),
    (refused(401, "Signature expired."), replace(HERE, skew=-900.0), "Set this machine's clock"),
    (
        refused(403, "User: arn:x is not authorized to perform: bedrock:InvokeModel on resource: y"),
        HERE,
        "allow the IAM action bedrock:InvokeModel for the identity",
    ),
    (refused(401, "openai.gpt-5.4 is not enabled"), HERE, "The route is wrong: openai.gpt-5.4 is served on"),
    (
        refused(404, "The model 'openai.gpt-6-sol' does not exist", code="not_found_error"),
        replace(HERE, target=ASTRA),
        "Use --model openai.gpt-6-sol --region us-east-1 --endpoint mantle.",
    ),
    (
        refused(404, "The model 'openai.gpt-6-sol' does not exist"),
        replace(HERE, target=replace(ASTRA, endpoint="custom")),
        "openai.gpt-6-sol is known on mantle in us-east-1",
    ),
    (
        refused(404, "The model 'mine' does not exist"),
        replace(HERE, target=replace(TARGET, model="mine")),
        "`outcrop models --region us-west-2`",
    ),
    (refused(404, "Not Found"), HERE, "The path is wrong"),
    (refused(400, "model `x` isn't supported on this route"), HERE, "is served on /openai/v1 of mantle"),
    (
        refused(400, "The model 'openai.gpt-5.4' does not support the '/v1/chat/completions' API"),
        replace(HERE, target=replace(TARGET, api="chat_completions")),
        "Choose --api responses.",
    ),
    (refused(400, "store is not allowed under the data retention mode"), HERE, "use --stateless"),
    (refused(400, "Unknown parameter"), HERE, "Look at the request in the inspector"),
    (refused(307, "elsewhere"), HERE, "Set the base URL to the address"),
    (
        refused(407, "auth"),
        replace(HERE, proxy="proxy:8080"),
        "name and password in HTTPS_PROXY (proxy:8080)",
    ),
    (refused(429, "Too many tokens"), HERE, "quota of tokens a minute"),
    (refused(503, "busy"), HERE, "AWS Health"),
    (WireError("No response within 2 s.", code="timeout"), replace(HERE, timeout=2), "wait longer than 2 s"),
    (StreamError("The connection broke off.", code="cut"), HERE, "may buffer or cut streams"),
    (ResponseError("It came incomplete.", code="incomplete"), HERE, "A lower effort"),
    (
        ConnectError("There is no host x: DNS found no address."),
        replace(HERE, target=replace(TARGET, region="us-west-1")),
        "No region us-west-1 is known with this endpoint",
    ),
    (ConnectError("There is no host x: DNS found no address."), HERE, "Check the region's spelling"),
    (ConnectError("The TLS connection to x failed."), HERE, "name its certificate in SSL_CERT_FILE"),
    (ConnectError("The TLS certificate expired."), replace(HERE, skew=9e5), "Set this machine's clock"),
    (ConnectError("The proxy refused.", code="proxy"), HERE, "Look at HTTPS_PROXY: is it up"),
    (ConnectError("x refused the connection."), replace(HERE, proxy="p:1"), "Look at HTTPS_PROXY (p:1)"),
    (ConnectError("x refused the connection."), HERE, "Check the network and the base URL"),
    (StoreError("The history is locked."), HERE, "OUTCROP_DATA_DIR"),
    (InputError("This API has no tools."), HERE, ""),
]


@pytest.mark.parametrize(("error", "here", "step"), STEPS, ids=[str(number) for number in range(len(STEPS))])
def test_every_failure_says_what_to_do_next(error: OutcropError, here: Circumstances, step: str) -> None:
    said = next_step(error, here)
    assert step in said and bool(said) == bool(step)
    assert not said or said.endswith(".") or said.endswith("?")


COST = CostEstimate(Decimal("0.0012"))
RESULTS = [
    CheckResult("dns", "hosts", False, "passed", "It has 2.", seconds=0.0123, facts={"addresses": ["::1"]}),
    CheckResult(
        "preflight", "an answer", True, "failed", 'Bad <&"> \x00\x1b[31m', "Do & so.", 1.5,
        request_id="req_" + "a" * 52, exchange_ids=("e1", "e2"), cost=COST,
    ),
    CheckResult("cache", "twice", True, "skipped", "It needs preflight, which failed."),
    CheckResult("tool", "a call", True, "passed", "ok", seconds=0.5, cost=COST, unpriced=1),
]  # fmt: skip


def test_the_document_adds_up() -> None:
    made = json.loads(json.dumps(document(RESULTS, {"model": "m"}, 0.0)))
    assert made["counts"] == {"passed": 2, "failed": 1, "skipped": 1} and made["passed"] is False
    assert [row["cost_so_far_usd"] for row in made["checks"]] == [None, "0.0012", "0.0012", "0.0024"]
    assert made["cost_usd"] == "0.0024" and made["configuration"] == {"model": "m"}
    assert made["checks"][1]["exchanges"] == ["e1", "e2"] and made["checks"][1]["next_step"] == "Do & so."
    assert cost_words(spent(RESULTS)) == "≥~$0.0024" and cost_words(spent(RESULTS[:1])) == "–"


def test_junit_keeps_to_its_schema_whatever_the_texts_hold() -> None:
    suite = assert_junit(junit_xml(RESULTS, {"model": "a\x1b\udc80b", "n": 3, "none": None}, 0.0))
    cases = {case.attrib["name"]: case for case in suite.findall("testcase")}
    failure = cases["preflight"].find("failure")
    assert failure is not None and failure.text is not None
    assert failure.text.endswith("Do & so.") and failure.attrib["message"].startswith('Bad <&"> \ufffd')
    assert "req_" in (cases["preflight"].findtext("system-out") or "")
    assert cases["dns"].findtext("system-out") == 'It has 2.\naddresses: ["::1"]'
    assert [p.attrib["value"] for p in suite.iter("property")] == ["a\ufffd\ufffdb", "3", "null"]


def test_the_table_fits_its_terminal() -> None:
    for width in (80, 112, 160):
        lines = title_lines(width)
        for index, result in enumerate(RESULTS):
            lines += row_lines(result, RESULTS[: index + 1], width)
        assert max(map(len, lines)) <= width
        text = "\n".join(lines)
        assert "✗ preflight" in text and "Next: Do & so." in text and "Skipped: It needs" in text
        assert "req_aaaa…aaaaa" in text and "\x1b" not in text
    assert summary_lines(RESULTS, sandbox=False) == [
        "2 passed, 1 failed, 1 skipped; 2.01 s, ≥~$0.0024.",
        "outcrop inspect show e2   shows preflight",
    ]


def test_what_is_chosen_and_what_it_costs() -> None:
    def names(*args: Any, **more: Any) -> tuple[list[str], list[str]]:
        run, left = chosen(*args, **more)
        return [check.name for check in run], [check.name for check in left]

    everything = [check.name for check in CHECKS]
    assert names() == (everything, []) and len(set(everything)) == len(everything) == 21
    run, left = names(free=True)
    assert not {"preflight", "tool", "cache"} & set(run) and {"dns", "token", "error"} <= set(run)
    assert set(run) | set(left) == set(everything)
    assert names(timing=False)[1] == ["responsiveness"]
    assert names(["responsiveness"], timing=False) == (["responsiveness"], [])
    assert names(["stateful"]) == (["stateful", "cleanup"], []), "what it stores is deleted"
    assert names(["tls", "dns"]) == (["dns", "tls"], [])
    with pytest.raises(InputError, match=r"no check 'prefligth' \(did you mean 'preflight'\?\)"):
        chosen(["prefligth"])
    assert left_out_lines(chosen(free=True, timing=False)[1], True)[0].startswith(
        "Left out, as they are paid"
    )
    assert left_out_lines(chosen(timing=False)[1], False) == [
        "Left out by BEDROCK_RESPONSIVENESS_CHECK: responsiveness."
    ]

    def price(only: list[str], target: Target = TARGET) -> str:
        return price_words(chosen(only)[0], target, CATALOGUE)

    assert price(["dns", "error"]) == ""
    one = price(["schema", "usage"])
    assert one.startswith("1 paid request to openai.gpt-5.4 in us-west-2 (schema, usage): about $0.0005, ")
    assert price(["preflight", "schema"]).startswith("1 paid request to")
    assert price(["tool"]).startswith("2 paid requests to")
    assert price(["background"], replace(TARGET, endpoint="runtime")) == "", "runtime has none"
    assert price(["tool"], replace(TARGET, sandbox=True)).endswith("in the sandbox they cost nothing.")
    assert price(["tool"], replace(TARGET, model="mine")).endswith("what they cost is not known here.")
