"""`outcrop models` and `outcrop usage` as scripts see them, and budgets of `outcrop ask`."""

from __future__ import annotations

import csv
import io
import json
from decimal import Decimal

from support.programs import Program
from support.sessions import make_session, take_turn

from tui.sandbox.server import SandboxServer


def test_models_lists_and_checks(program: Program, server: SandboxServer) -> None:
    server.fault({"on": "models", "status": 404, "times": 2})
    listed, as_json = program.together(["models", "--offline"], ["models", "--json", "--check"])
    assert (listed.status, listed.err) == (0, "")
    assert [line.split()[0] for line in listed.out.splitlines()] == ["model", "openai.gpt-5.4"]
    assert as_json.status == 0
    assert as_json.err.startswith("Checking openai.gpt-5.4 in us-west-2 on custom sends one paid request"), (
        as_json.err
    )
    document = json.loads(as_json.out)
    assert (document["endpoint"], document["region"]) == ("custom", "us-west-2")
    assert (document["model"], document["model_is_configured"]) == ("openai.gpt-5.4", False)
    assert document["check"]["works"] is True
    assert [said.split()[0] for said in document["lists"]] == ["/v1/models", "/openai/v1/models"]
    (row,) = document["models"]
    assert row["check"]["works"] is True and row["prices"][0]["input"] == "2.75" and row["possible"] is True
    assert row["uncertain"] == ["context", "max_output"]


def test_models_of_the_sandbox_and_a_check_that_fails(program: Program, server: SandboxServer) -> None:
    table, failed, unknown = program.together(
        ["models", "--sandbox", "--region", "us-east-2"],
        ["models", "--sandbox", "--model", "openai.gpt-6-sol", "--check"],
        ["models", "--region", "nowhere"],
    )
    assert table.status == 0 and "/openai/v1/models lists nothing (404), which is normal" in table.err
    rows = {line.split()[0]: line for line in table.out.partition("\n\n")[0].splitlines()}
    assert "1,050,000?" in rows["openai.gpt-5.5"] and "5.50/0.55/33.00" in rows["openai.gpt-5.5"]
    assert (
        "Not possible here:\n" in table.out
        and "openai.gpt-6-astra is not in us-east-2 on mantle" in table.out
    )
    assert "Nearest: openai.gpt-6-astra in us-west-2 on mantle." in table.out
    assert failed.status == 1 and "in the sandbox it costs nothing" in failed.err
    assert failed.out.startswith("openai.gpt-6-sol in us-west-2 on mantle does not work. ")
    assert "does not exist" in failed.out
    assert unknown.status == 2 and "is not the name of a region" in unknown.sentence()


def test_without_a_token_the_catalogue_is_shown_and_nothing_asked(offline: Program) -> None:
    offline.base_url, offline.token = "", ""
    shown, checked = offline.together(["models"], ["models", "--check"])
    assert shown.status == 0 and "openai.gpt-5.4" in shown.out
    assert shown.err.startswith("The server was not asked for its list. No keyring can be reached")
    assert checked.status == 3 and "Set AWS_BEARER_TOKEN_BEDROCK" in checked.err


async def test_usage_is_exact_and_unknown_is_a_dash(program: Program, server: SandboxServer) -> None:
    session = make_session(server)
    conversation = await session.new()
    for prompt in ("Hello", "Reply with exactly: yes"):
        await take_turn(session, conversation.id, prompt)
    usages = [turn.usage for turn in session.conversation(conversation.id).path()]
    await session.delete(conversation.id)
    await session.aclose()
    sent = sum(usage.input_tokens for usage in usages if usage)
    made = sum(usage.output_tokens for usage in usages if usage)
    dollars = (sent * Decimal("2.75") + made * Decimal("16.5")) / 1_000_000

    table, as_json, as_csv, none = program.together(
        ["usage"], ["usage", "--by", "model", "--json"], ["usage", "--by", "region", "--csv"],
        ["usage", "--sandbox"],
    )  # fmt: skip
    titles, day, total = table.out.splitlines()
    assert titles.split() == ["day", "answers", "input", "cached", "written", "output", "reasoning", "cost"]
    # gpt-5.4 does not say what was written: unknown, not 0. The conversation is deleted, the money is spent.
    assert day.split()[1:7] == ["2", f"{sent:,}", "0", "–", f"{made:,}", "0"]
    assert Decimal(day.split()[7].removeprefix("~$")) == dollars and total.split()[1:] == day.split()[1:]
    (group,) = json.loads(as_json.out)["groups"]
    assert (group["key"], group["responses"], group["unreported"]) == ("openai.gpt-5.4", 2, 0)
    assert Decimal(group["cost_usd"]) == dollars and group["cache_write_tokens"] is None
    (row,) = csv.DictReader(io.StringIO(as_csv.out))
    assert (
        row["region"] == "us-west-2"
        and Decimal(row["cost_usd"]) == dollars
        and row["cache_write_tokens"] == ""
    )
    assert (none.status, none.out) == (0, "") and none.err.startswith("Nothing was sent since ")
    since = program.run("usage", "--since", "tomorrow")
    assert since.status == 2 and "give a day such as 2026-11-01, or 7d" in since.sentence()


def test_a_budget_warns_and_then_refuses(program: Program, server: SandboxServer) -> None:
    (program.config / "config.toml").write_text('budget_per_day = "0.000001"\n', encoding="utf-8")
    refused = program.ask("Hello")
    assert refused.status == 2
    assert "goes past the budget of less than $0.0001" in refused.sentence()
    assert "Nothing was sent; --over-budget sends it all the same." in refused.sentence()
    assert not [record for record in server.log if record.method == "POST"]
    sent = program.ask("Reply with exactly: yes", "--over-budget")
    assert sent.status == 0 and sent.out.strip() == "yes" and "goes past the budget" in sent.err
    (program.config / "config.toml").write_text("budget_per_day = 0.001\n", encoding="utf-8")
    used_up = program.ask("Hello")
    assert used_up.status == 2 or "the budget is $0.0010" in used_up.err
    (program.config / "config.toml").write_text("budget_per_day = 1000\n", encoding="utf-8")
    quiet = program.ask("Reply with exactly: yes")
    assert (quiet.status, quiet.err) == (0, "")
    (program.config / "config.toml").write_text("budget_per_day = 0\n", encoding="utf-8")
    assert "it must be US dollars above 0" in program.ask("Hello").sentence()
