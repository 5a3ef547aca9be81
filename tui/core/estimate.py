"""What the next turn is likely to take before it is sent: tokens, cost, window, what the cache may give.

The context of a request is what the server counted for the last turn of its path, and what came on top
since; only that is guessed (`token_model.py`). Everything here is an estimate and is shown with "~".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from tui.core.catalogue import Model
from tui.core.continuation import Request
from tui.core.conversation import Conversation
from tui.core.costs import CostEstimate, cost_of_model, kinds_for, upper_cost
from tui.core.items import ContinuationMode, Item, Outcome, Target, Turn, Usage
from tui.core.token_model import (
    FEATURES,
    Features,
    Guess,
    Observation,
    TokenModel,
    add,
    features_of_item,
    features_of_text,
    named,
)

__all__ = ["Estimator", "TurnEstimate"]

_FIRST_OUTPUT: Final = 400
"""Tokens of an answer before there was one."""

_LAST: Final = 5
"""How many turns back answers and cache hits are looked at."""

# How long a prompt stays in the cache at most: OpenAI's guide on prompt caching; on Bedrock ASSUMED.
_KEPT_SECONDS: Final = {"in_memory": 3600.0, "24h": 86_400.0, "prompt_cache_options": 1800.0}


@dataclass(frozen=True, slots=True)
class TurnEstimate:
    """The next turn in one continuation mode.

    Attributes:
        mode: The mode.
        draft_tokens: What is written now and the files with it.
        input_tokens: The whole input, what the server remembers included.
        input_most: What it hardly exceeds.
        cacheable_tokens: What of it could come from the cache, because it was sent before; `None` where
            nobody knows whether the model caches.
        cached_tokens: What of it is likely to, by what the cache did in this conversation so far.
        output_tokens: The likely answer, reasoning included.
        output_most: The limit that is sent.
        window_share: How full the context window is likely to be after the turn, 0 to 1 and above; `None`
            where the window is unknown.
        cost: What the turn is likely to cost; `None` where a price is unknown.
        cost_most: What it costs at most: nothing from the cache, the longest answer.
        learned: How many counts of the server's the estimate rests on; with 0 it is a rule of thumb.
    """

    mode: ContinuationMode
    draft_tokens: int
    input_tokens: int
    input_most: int
    cacheable_tokens: int | None
    cached_tokens: int
    output_tokens: int
    output_most: int
    window_share: float | None
    cost: CostEstimate | None
    cost_most: CostEstimate | None
    learned: int


class Estimator:
    """Estimates the turns of one conversation and learns from those that were sent.

    Reading items takes time once for each turn; call it off the event loop when a conversation is opened.

    Args:
        file_tokens: Estimates the tokens of the files that went with a turn.
        sent_with: Gives the instructions that went with a turn, where that is known; without, they are taken
            to be those of now.
    """

    def __init__(
        self, file_tokens: Callable[[Turn], int], sent_with: Callable[[Turn], str | None] = lambda _: None
    ) -> None:
        self._file_tokens = file_tokens
        self._sent_with = sent_with
        self._model = TokenModel()
        self._seen: set[str] = set()
        self._inputs: dict[str, Features] = {}
        self._outputs: dict[str, Features] = {}

    @property
    def learned(self) -> int:
        """How many counts of the server's it has learned from."""
        return self._model.learned

    def learn(self, conversation: Conversation, to: str | None = None) -> None:
        """Take in what the server counted on the path to a turn (the tip by default); each turn once."""
        path = conversation.path(to)
        for index, turn in enumerate(path):
            if turn.outcome is None or turn.usage is None or turn.id in self._seen:
                continue
            self._seen.add(turn.id)
            recent = index >= len(path) - _LAST
            for observation in self._observations(path[:index], turn, conversation.instructions, recent):
                self._model.learn(observation)

    def _observations(
        self, before: Sequence[Turn], turn: Turn, instructions: str, recent: bool
    ) -> list[Observation]:
        usage = turn.usage or Usage()
        found: list[Observation] = []
        anchor = _anchor(before)
        if usage.input_tokens is not None:
            if anchor is None:
                features = add(
                    named(request=1),
                    _instructions(instructions),
                    *map(self._whole, before),
                    self._input(turn),
                )
                found.append(Observation(features, usage.input_tokens))
            elif (counted := _input(before[anchor])) is not None:
                # The difference to the turn before tells what came on top, whatever was hidden in both.
                on_top = [self._output(before[anchor]), *map(self._whole, before[anchor + 1 :])]
                # Asked of the last turns only: it is in the bodies that were sent.
                sent = self._sent_with(turn) if recent else None
                changed = named() if sent is None else self._changed(before[anchor], sent)
                features = add(*on_top, self._input(turn), changed)
                found.append(Observation(features, usage.input_tokens - counted))
        thought = usage.reasoning_tokens
        if usage.output_tokens and thought is not None and turn.outcome is Outcome.COMPLETED:
            visible = add(*(features_of_item(item) for item in turn.output if item.type != "reasoning"))
            if any(visible):
                # An answer is made of tokens without the marks that stand around an item of the input.
                bare = add(visible, named(item=visible[FEATURES.index("item")]), sign=-1.0)
                found.append(Observation(bare, usage.output_tokens - thought))
        return found

    def estimate(
        self,
        conversation: Conversation,
        request: Request,
        new_items: Sequence[Item],
        new_file_tokens: int,
        model: Model | None,
        now: float,
        to: str | None = None,
    ) -> TurnEstimate:
        """Estimate the request that sends `new_items` after the path.

        Args:
            conversation: As it is.
            request: As planned, in the mode in question.
            new_items: What is sent now.
            new_file_tokens: What its files are estimated at.
            model: The catalogue's row of the request's model.
            now: Seconds since the epoch.
            to: The turn it goes on from; the tip by default.
        """
        path = conversation.path(to)
        draft = add(named(file=new_file_tokens), *map(features_of_item, new_items))
        left_out = {id(left.item) for left in request.left_out}
        whole, lost = self._context(path, conversation.instructions, left_out, draft)
        most = int(request.params.get("max_output_tokens") or (model.max_output if model else 0) or 0)
        output = _likely_output(path, most)
        tokens = round(whole.tokens)
        cacheable = _cacheable(path, request.target, model, tokens, now, lost)
        last = path[-1] if path else None
        if cacheable and last is not None and self._sent_with(last) not in (None, conversation.instructions):
            # They stand before the items: what follows them is another prefix.
            cacheable = 0
        cached = round((cacheable or 0) * _hit_rate(path, model))
        usage = Usage(tokens, cached, _written(model, tokens, cached), output, 0, tokens + output)
        prices = model.prices if model else ()
        kinds = kinds_for(request.target.model)
        return TurnEstimate(
            mode=request.mode,
            draft_tokens=round(self._model.guess(draft).tokens),
            input_tokens=tokens,
            input_most=whole.most,
            cacheable_tokens=cacheable,
            cached_tokens=cached,
            output_tokens=output,
            output_most=most,
            window_share=(tokens + output) / model.context if model and model.context else None,
            cost=cost_of_model(usage, model, request.target.model),
            cost_most=upper_cost(whole.most, most, prices, kinds),
            learned=self._model.learned,
        )

    def _context(
        self, path: Sequence[Turn], instructions: str, left_out: set[int], draft: Features
    ) -> tuple[Guess, Turn | None]:
        """The whole input, and the first turn whose items the server saw before and does not see now."""
        anchor = _anchor(path)
        if anchor is None:
            kept = [self._whole(turn, left_out) for turn in path]
            features = add(named(request=1), _instructions(instructions), *kept, draft)
            return self._model.guess(features), None
        first = path[anchor]
        on_top = [
            self._output(first, left_out),
            *(self._whole(turn, left_out) for turn in path[anchor + 1 :]),
            self._changed(first, instructions),
            draft,
        ]
        lost: Turn | None = None
        if first.continuation == "stateful":
            # What a chain held on the server and a replay leaves out is no longer read.
            for turn in path[:anchor]:
                if any(id(item) in left_out for item in turn.output):
                    lost = lost or turn
                    on_top.append(add(self._output(turn, left_out), self._output(turn), sign=-1.0))
        guess = self._model.guess(add(*on_top))
        signed = self._model.signed(add(*on_top))
        return Guess(max(0.0, (_input(first) or 0) + signed), guess.doubt), lost

    def _changed(self, turn: Turn, instructions: str) -> Features:
        """What other instructions than those of a turn add to its input."""
        before = self._sent_with(turn)
        if before is None or before == instructions:
            return named()
        return add(_instructions(instructions), _instructions(before), sign=-1.0)

    def _whole(self, turn: Turn, left_out: set[int] | None = None) -> Features:
        return add(self._input(turn), self._output(turn, left_out))

    def _input(self, turn: Turn) -> Features:
        if turn.id not in self._inputs:
            files = named(file=self._file_tokens(turn))
            self._inputs[turn.id] = add(files, *map(features_of_item, turn.input))
        return self._inputs[turn.id]

    def _output(self, turn: Turn, left_out: set[int] | None = None) -> Features:
        """What the output of a turn adds to the input of the next."""
        if left_out and any(id(item) in left_out for item in turn.output):
            return self._output_of(turn, left_out)
        if turn.outcome is None:
            return self._output_of(turn, set())
        if turn.id not in self._outputs:
            self._outputs[turn.id] = self._output_of(turn, set())
        return self._outputs[turn.id]

    def _output_of(self, turn: Turn, left_out: set[int]) -> Features:
        kept = [item for item in turn.output if id(item) not in left_out]
        features = [features_of_item(item) for item in kept]
        if any(item.type == "reasoning" for item in kept) and turn.usage and turn.usage.reasoning_tokens:
            features.append(named(reasoning_token=turn.usage.reasoning_tokens))
        if turn.partial_text:
            features.append(add(named(item=1), features_of_text(turn.partial_text)))
        return add(named(), *features)


def _instructions(text: str) -> Features:
    return add(named(item=1), features_of_text(text)) if text else named()


def _input(turn: Turn) -> int | None:
    return None if turn.usage is None else turn.usage.input_tokens


def _anchor(path: Sequence[Turn]) -> int | None:
    """Index of the last turn whose whole input the server counted; a summary begins anew."""
    for index in range(len(path) - 1, -1, -1):
        if path[index].summary:
            return None
        if _input(path[index]) is not None:
            return index
    return None


def _likely_output(path: Sequence[Turn], most: int) -> int:
    """The mean of the last answers."""
    counts = [
        turn.usage.output_tokens
        for turn in path
        if turn.outcome is Outcome.COMPLETED and turn.usage and turn.usage.output_tokens
    ][-_LAST:]
    likely = round(sum(counts) / len(counts)) if counts else _FIRST_OUTPUT
    return min(likely, most) if most else likely


def _cacheable(
    path: Sequence[Turn], target: Target, model: Model | None, tokens: int, now: float, lost: Turn | None
) -> int | None:
    """What of an input was sent before to the same place, and recently enough."""
    if model is None or model.cacheable_from is None:
        return None
    # Another retention may have been chosen; nothing is kept longer than a day.
    kept_for = _KEPT_SECONDS.get(model.cache, 86_400.0)
    for turn in reversed(path):
        sent = _input(turn)
        if sent is None or turn.target is None:
            continue
        if not target.shares_state_with(turn.target) or now - (turn.ended_at or turn.created_at) > kept_for:
            return 0
        if lost is not None:
            sent = min(sent, _input(lost) or 0)
        return _in_steps(min(sent, tokens), model)
    return 0


def _in_steps(tokens: int, model: Model) -> int:
    if model.cacheable_from is None or tokens < model.cacheable_from:
        return 0
    step = model.cache_step or 1
    return tokens // step * step


def _hit_rate(path: Sequence[Turn], model: Model | None) -> float:
    """The part of what could come from the cache that did, over the last turns; 0 where nothing is known."""
    if model is None:
        return 0.0
    possible = hits = 0
    pairs = list(pairwise(path))[-_LAST:]
    for before, turn in pairs:
        if turn.target is None or before.target is None or not turn.target.shares_state_with(before.target):
            continue
        sent, cached = _input(before), turn.usage.cached_tokens if turn.usage else None
        if sent is None or cached is None or not (could := _in_steps(sent, model)):
            continue
        possible += could
        hits += min(cached, could)
    return hits / possible if possible else 0.0


def _written(model: Model | None, tokens: int, cached: int) -> int:
    """What is likely to be written to the cache, where that is billed."""
    if model is None or not any(price.cache_write is not None for price in model.prices):
        return 0
    return tokens - cached if tokens >= (model.cacheable_from or 0) else 0
