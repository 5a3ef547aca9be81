"""Records `tests/unit/recorded_turns.json`: run `python tests/support/record_turns.py` in the checkout.

Real sessions over HTTP with the sandbox, which counts with o200k_base; several languages, code and data.
What no estimate looks at (the content of files and of encrypted reasoning) is shortened.
"""
# ruff: noqa: E501

from __future__ import annotations

import asyncio
import json
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
OUT = ROOT / "tests" / "unit" / "recorded_turns.json"

ENGLISH = [
    "The road down to the quarry had been closed since the spring floods washed half of it into the river.",
    "Nobody at the council could say when the money for repairs would arrive, or whether it would arrive at all.",
    "Explain in a few paragraphs how a sedimentary layer ends up above a younger one.",
    "Margaret kept the ledger in a tin box, next to three letters she had never answered.",
    "If the estimate is off by a factor of two, which of the assumptions would you look at first, and why?",
    "Thanks. Now compare that with what you said about the second survey, and be brief.",
    "It rained, so we stayed in and argued about thermodynamics until the lamps went out.",
]
GERMAN = [
    "Die Straße zum Steinbruch ist seit den Frühjahrsüberschwemmungen gesperrt, weil die Böschung abgerutscht ist.",
    "Können Sie mir erklären, weshalb die Grundstücksverkehrsgenehmigung noch nicht erteilt wurde?",
    "Wir haben die Messwerte überprüft: größere Abweichungen traten ausschließlich in der südlichen Bohrung auf.",
    "Bitte fassen Sie das Ergebnis der geologischen Untersuchung in drei übersichtlichen Sätzen zusammen.",
    "Die Schülerinnen übten fröhlich weiter, obwohl draußen längst die Straßenbeleuchtung ausgefallen war.",
]
JAPANESE = [
    "採石場へ続く道は、春の洪水で半分が川に流されて以来、通行止めになっています。",
    "修理の予算がいつ届くのか、そもそも届くのかどうか、役場では誰も答えられませんでした。",
    "堆積岩の層がなぜ新しい層の上に来ることがあるのか、わかりやすく説明してください。",
    "ボーリング調査の結果、花崗岩の厚さは四十二メートルであることが確認されました。",
    "ありがとうございます。では、二回目の調査と比べて、簡潔にまとめてください。",
]
CHINESE = [
    "通往采石场的道路自从春季洪水冲毁一半以来一直封闭，至今没有恢复通行。",
    "请解释一下为什么较老的沉积岩层有时会出现在较新的岩层之上。",
    "钻探结果表明，花岗岩层的厚度为四十二米，没有发现玄武岩。",
    "市政府没有人能说清楚维修资金什么时候到位，也不知道是否真的会到位。",
    "谢谢。现在请把它和第二次调查的结论进行比较，尽量简短。",
]
RUSSIAN = [
    "Дорога к карьеру закрыта с тех пор, как весеннее наводнение смыло половину насыпи в реку.",
    "Объясните, пожалуйста, почему более древний осадочный слой иногда оказывается выше молодого.",
    "Результаты бурения показали, что толщина гранитного слоя составляет сорок два метра.",
    "Никто в администрации не смог сказать, когда поступят деньги на ремонт и поступят ли они вообще.",
    "Спасибо. Теперь сравните это с выводами второго обследования, только коротко.",
]
ARABIC = [
    "الطريق المؤدي إلى المحجر مغلق منذ أن جرفت فيضانات الربيع نصفه إلى النهر.",
    "اشرح لي من فضلك لماذا تظهر طبقة رسوبية قديمة فوق طبقة أحدث منها.",
    "أظهرت نتائج الحفر أن سمك طبقة الجرانيت يبلغ اثنين وأربعين متراً ولم يعثر على البازلت.",
    "لم يستطع أحد في المجلس أن يقول متى ستصل أموال الإصلاح أو إن كانت ستصل أصلاً.",
]
CODE = [
    "def layers(rows: list[Row], *, depth: float = 42.0) -> dict[str, float]:\n    found: dict[str, float] = {}\n"
    "    for row in rows:\n        if row.kind not in found or row.depth < found[row.kind]:\n"
    "            found[row.kind] = min(row.depth, depth)\n    return found\n",
    "SELECT s.site_id, count(*) AS cores, avg(c.depth_m)::numeric(8,2)\nFROM cores c JOIN sites s USING (site_id)\n"
    "WHERE c.taken_at >= '2026-01-01' AND s.closed IS NOT TRUE\nGROUP BY 1 HAVING count(*) > 3 ORDER BY 3 DESC;\n",
    "#[derive(Debug, Clone)]\npub struct Core<'a> { pub id: u64, pub bytes: &'a [u8] }\n\nimpl<'a> Core<'a> {\n"
    "    pub fn len(&self) -> usize { self.bytes.len() }\n    pub fn is_empty(&self) -> bool { self.len() == 0 }\n}\n",
    "for f in ./cores/*.csv; do\n  awk -F';' 'NR>1 {s[$2]+=$4; n[$2]++} END {for (k in s) printf \"%s\\t%.3f\\n\", k, s[k]/n[k]}' "
    '"$f" >> /tmp/means.tsv || exit 1\ndone\n',
]
DATA = [
    '{"id":"c-00%d","site":"north","depth_m":%d.25,"minerals":["quartz","feldspar"],"ok":true,"hash":"9f8e7d6c5b4a"}',
    "2026-11-22T05:%d:31.417Z ERROR drill[4412] motor temperature 9%d.6 exceeds 85.0, stopping (code=0x7F3A)",
    "GET /v2/sites/%d/cores?limit=50&after=c-10%d HTTP/1.1 200 14ms 10.0.3.17",
]


def texts(rows: list[str], turns: int) -> Iterator[str]:
    """Prompts and answers of different lengths: one to six sentences, in an order of their own."""
    for turn in range(turns):
        count = (1, 3, 6, 2, 4)[turn % 5]
        chosen = [rows[(turn * 3 + step * 2) % len(rows)] for step in range(count)]
        yield (" " if len(rows[0]) < 1000 and "\n" not in rows[0] else "\n").join(chosen)


def plans() -> Iterator[tuple[str, str, str, dict[str, Any], list[str]]]:
    """Name, model, mode, controls, prompts; what follows "Reply with exactly" is what is answered."""
    languages = {
        "english": ENGLISH,
        "german": GERMAN,
        "japanese": JAPANESE,
        "chinese": CHINESE,
        "russian": RUSSIAN,
        "arabic": ARABIC,
        "code": CODE,
        "data": ["\n".join(row % (n, n) for row in DATA for n in (11, 47)), *(r % (7, 3) for r in DATA)],
    }
    for index, (name, rows) in enumerate(languages.items()):
        prompts = list(texts(rows, 12))
        lines = [
            f"Reply with exactly: {prompts[11 - turn]}" if turn % 2 else prompts[turn] for turn in range(6)
        ]
        yield name, "openai.gpt-5.4", ("stateful", "stateless")[index % 2], {}, lines
    mixed = [ENGLISH[2], CODE[0], JAPANESE[2], GERMAN[3], DATA[0] % (1, 2), RUSSIAN[1]]
    yield "mixed", "openai.gpt-5.6-terra", "stateful", {"effort": "medium"}, mixed
    yield "mixed replayed", "openai.gpt-5.6-terra", "stateless", {"effort": "medium"}, mixed
    yield "pdf", "openai.gpt-5.4", "stateless", {}, ["What does it say?", *ENGLISH[2:6]]


def lean(text: str) -> str:
    """An item without what no estimate reads."""
    text = re.sub(r'"data:([a-z/]+);base64,[^"]*"', r'"data:\1;base64,JVBERi0="', text)
    return re.sub(r'"encrypted_content":"[^"]*"', '"encrypted_content":"gAAA"', text)


async def record(server: Any, folder: Path) -> list[dict[str, Any]]:
    from support.pdfs import make_pdf
    from support.sessions import make_session

    from tui.core.controls import Controls

    found: list[dict[str, Any]] = []
    pdf = folder / "survey.pdf"
    pdf.write_bytes(
        make_pdf("\n".join(["Survey of the northern ridge", *ENGLISH]), "\n".join(["Costs", *GERMAN]))
    )
    for name, model, mode, controls, prompts in plans():
        session = make_session(server, model=model, continuation=mode)
        conversation = await session.new()
        await session.set_controls(conversation.id, Controls(**controls))
        files: dict[str, int] = {}
        for number, prompt in enumerate(prompts):
            attached = [await session.attach(str(pdf))] if name == "pdf" and number in (0, 3) else []
            async with aclosing(session.send(conversation.id, prompt, attached)) as events:
                async for _ in events:
                    pass
            turn = session.conversation(conversation.id).path()[-1]
            files[turn.id] = sum(one.estimated_tokens for one in attached)
        path = session.conversation(conversation.id).path()
        turns = [
            {
                "input": [lean(item.text) for item in turn.input],
                "output": [lean(item.text) for item in turn.output],
                "usage": list(turn.usage.as_dict().values()),
                "files": files[turn.id],
            }
            for turn in path
            if turn.usage is not None
        ]
        found.append({"name": name, "model": model, "mode": mode, "turns": turns})
        await session.aclose()
    return found


def main() -> None:
    import os

    sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
    from tui.sandbox.server import SandboxServer

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ |= {"OUTCROP_CONFIG_DIR": str(folder / "config"), "OUTCROP_DATA_DIR": str(folder / "data")}
        with SandboxServer(folder / "server", tokenizer="bpe") as server:
            found = asyncio.run(record(server, folder))
    rows = ",\n".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")) for row in found)
    OUT.write_text(f"[\n{rows}\n]\n", encoding="utf-8")
    print(OUT, OUT.stat().st_size)


if __name__ == "__main__":
    main()
