"""The operations of the endpoint: create, retrieve, cancel, delete. Of HTTP, only the answers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from starlette.responses import Response

from . import context, errors, events, generate, models, request, responses, tokens
from .cache import PromptCache
from .faults import Fault, FaultQueue, disturb
from .ids import random_id
from .log import ServedLog
from .quota import Quota
from .shapes import Json
from .store import ResponseStore, response_at
from .stream import EventStream, JsonAnswer


class Endpoint:
    """One region's endpoint with its state.

    Args:
        state_dir: the folder of stored responses.
        region: which models it has and which keys it takes.
        rate: output tokens per second; None for as fast as possible.
        clock: seconds since the epoch.
        ids: prefix -> id.
        refuse_summary: refuse `reasoning.summary` always, never, or (None) by model; section 8.6.
        background_seconds: how long a background response takes.
        retention: False stands for an account that keeps nothing; section 1.5.
        tokens_per_minute: the quota, or None.
    """

    def __init__(
        self,
        state_dir: Path,
        *,
        region: str,
        rate: float | None,
        clock: Callable[[], float],
        ids: Callable[[str], str] | None,
        refuse_summary: bool | None,
        background_seconds: float,
        retention: bool,
        tokens_per_minute: int | None,
    ) -> None:
        self.region = region
        self.clock = clock
        self.ids = ids or random_id
        self.log = ServedLog()
        self.faults = FaultQueue()
        self._rate = rate
        self._store = ResponseStore(state_dir)
        self._cache = PromptCache()
        self._refuse_summary = refuse_summary
        self._background_seconds = background_seconds
        self._retention = retention
        self._quota = Quota(tokens_per_minute) if tokens_per_minute is not None else None

    def create(self, body: Json, route: str, fault: Fault) -> Response:
        """POST /responses.

        Raises:
            ApiError: as documented in section 4.
        """
        now = self.clock()
        request.check_shape(body)
        previous: str | None = body.get("previous_response_id")
        earlier = context.chain(self._store, previous, now) if previous else []
        model = self._model(body, previous, route, now)
        asked = request.check(body, model, refuse_summary=self._refuse_summary, retention=self._retention)
        if body.get("background") and not asked.store:
            raise errors.invalid("background", "background responses must be stored")
        own = context.resolve(asked.items, self._store, model.id, self.region, now)
        seen = context.read([*earlier, *own], body.get("instructions"))
        input_tokens, cached = self._count(asked, seen, now)
        if self._quota is not None:
            wanted: int = body.get("max_output_tokens") or model.most_output
            self._quota.admit(input_tokens - cached + wanted, now)
        made = generate.generate(asked, seen, self.ids, self.region, fault.refusal)
        if fault.empty:
            made = generate.Generated([], 0, 0)
        begun = responses.begin(asked, self.ids("resp"), int(now))
        usage = None if fault.no_usage else responses.usage_of(asked, input_tokens, cached, made)
        ended = responses.end(begun, made, usage, int(now))
        return self._answer(asked, own, begun, ended, fault, made.output_tokens)

    def _answer(
        self, asked: request.CreateRequest, own: list[Json], begun: Json, ended: Json, fault: Fault, cost: int
    ) -> Response:
        rate: float | None = asked.model.benchmark[1] or None if asked.model.benchmark else self._rate
        record: Json = {"response": ended, "input": own}

        def commit() -> None:
            if asked.store:
                self._store.save(record)

        if begun["background"]:
            # Section 2 "Background": queued, in_progress, completed. When, is a matter of the clock alone, so
            # that it goes on without a process.
            record["timing"] = {"begins": self.clock() + 0.2 * self._background_seconds}
            record["timing"]["ends"] = self.clock() + self._background_seconds
            commit()
            if not asked.raw.get("stream"):
                return JsonAnswer(200, response_at(record, self.clock()), fault=fault)
        if asked.raw.get("stream"):
            writer = events.Writer()
            frames = events.stream(writer, begun, ended)
            if fault != Fault():
                frames = disturb(frames, writer, fault, begun, ended)
            # A stream that was meant to fail is not a response to go on from.
            keeps = fault.failed_deltas is None and fault.error_deltas is None and not fault.no_terminal
            return EventStream(frames, rate=rate, headers={}, fault=fault, commit=commit if keeps else None)
        if fault.failed_deltas is not None:
            return JsonAnswer(200, responses.fail(begun, []), fault=fault)
        delay = cost / rate if rate else 0.0
        return JsonAnswer(200, ended, fault=fault, delay=delay, commit=commit)

    def retrieve(self, response_id: str, fault: Fault, *, stream: bool = False, after: int = -1) -> Response:
        """GET /responses/{id}. Section 2, VERIFIED (cb); `starting_after`: section 3, ASSUMED on mantle.

        Raises:
            ApiError: 404.
        """
        record = self._load(response_id)
        if not stream:
            return JsonAnswer(200, response_at(record, self.clock()), fault=fault)
        ended: Json = record["response"]
        begun: Json = {**ended, "status": "in_progress", "output": [], "usage": None, "completed_at": None}
        begun |= {"error": None, "incomplete_details": None}
        frames = events.stream(events.Writer(), begun, ended)
        rest = (frame for number, frame in enumerate(frames) if number > after)
        return EventStream(rest, rate=self._rate, headers={}, fault=fault)

    def delete(self, response_id: str, fault: Fault) -> Response:
        """DELETE /responses/{id}. The body is ASSUMED (section 2).

        Raises:
            ApiError: 404.
        """
        self._load(response_id)
        self._store.delete(response_id)
        return JsonAnswer(200, {"id": response_id, "object": "response", "deleted": True}, fault=fault)

    def cancel(self, response_id: str, fault: Fault) -> Response:
        """POST /responses/{id}/cancel. Section 2, VERIFIED (stdapi): a finished one is answered as it is.

        Raises:
            ApiError: 404.
        """
        record = self._load(response_id)
        response = response_at(record, self.clock())
        if response["status"] in ("queued", "in_progress"):
            response = {**response, "status": "cancelled"}
            self._store.save({"response": response, "input": record["input"]})
        return JsonAnswer(200, response, fault=fault)

    def _load(self, response_id: str) -> Json:
        record = self._store.load(response_id, self.clock())
        if record is None:
            raise errors.no_response(response_id)
        return record

    def _model(self, body: Json, previous: str | None, route: str, now: float) -> models.Model:
        """Section 8.2, VERIFIED (aws-resp, oai-bed): mantle lets a chain inherit its model."""
        name: str | None = body.get("model")
        if not name and previous:
            record = self._store.load(previous, now)
            name = record["response"]["model"] if record else None
        if not name:
            raise errors.missing("model")
        return models.find(name, self.region, route)

    def _count(self, asked: request.CreateRequest, seen: context.Context, now: float) -> tuple[int, int]:
        """Input tokens and how many of them were cached.

        Raises:
            ApiError: 400 where the prompt is longer than the model takes (section 4 "Context overflow").
        """
        pieces = context.pieces(seen)
        total = tokens.OVERHEAD + len(pieces)
        if total > asked.model.context:
            raise errors.overflow(total, asked.model.context, asked.model.id)
        raw = asked.raw
        default = "30m" if asked.model.bills_writes else "in_memory"
        retention = raw.get("prompt_cache_retention") or default
        scope = f"{asked.model.id}/{raw.get('prompt_cache_key') or ''}"
        return total, self._cache.look_up(pieces, scope, retention, now)
