"""The operations of an endpoint: create, retrieve, cancel, delete. Of HTTP, only the answers."""

from __future__ import annotations

from starlette.responses import Response

from . import context, errors, events, generate, models, request, responses
from .counting import count
from .faults import Fault, disturb
from .place import Place
from .quota import Quota
from .service import Service
from .shapes import Json, object_at
from .store import response_at
from .stream import EventStream, JsonAnswer


class Endpoint:
    """One endpoint of one region, as one project sees it.

    Args:
        service: the state of the server.
        place: which endpoint, in which region.
        quota: of this place; None for no limit.
        project: whose stored responses it knows.
    """

    def __init__(self, service: Service, place: Place, quota: Quota | None, project: str = "default") -> None:
        self.place = place
        self._service = service
        self._options = service.options
        self._quota = quota
        self._store = service.store.within(f"{place}/{project}")

    def create(self, body: Json, route: str, fault: Fault) -> Response:
        """POST /responses.

        Raises:
            ApiError: as documented in section 4.
        """
        now = self._service.clock()
        request.check_shape(body)
        previous: str | None = body.get("previous_response_id")
        earlier = context.chain(self._store, previous, now) if previous else []
        model = self._model(body, previous, route, now)
        options = self._options
        asked = request.check(body, model, refuse_summary=options.refuse_summary, retention=options.retention)
        if body.get("background"):
            self._check_background(asked)
        own = context.resolve(asked.items, self._store, model.id, str(self.place), now)
        seen = context.read(
            [*earlier, *own], body.get("instructions"), self._service.tokenizer.split, body.get("tools") or ()
        )
        input_tokens, cached, written = count(self._service, self.place, asked, seen, now)
        if self._quota is not None:
            wanted: int = body.get("max_output_tokens") or model.most_output
            self._quota.admit(input_tokens - cached + wanted, now)
        self._service.saw(seen.items)
        made = generate.generate(asked, seen, self._service.ids, str(self.place), fault.refusal, fault.answer)
        if fault.empty:
            made = generate.Generated([], 0, 0)
        begun = responses.begin(asked, self._service.ids("resp"), int(now))
        usage = None if fault.no_usage else responses.usage_of(asked, input_tokens, cached, written, made)
        ended = responses.end(begun, made, usage, int(now))
        return self._answer(asked, own, begun, ended, fault, made.output_tokens)

    def _check_background(self, asked: request.CreateRequest) -> None:
        if not self.place.takes_background:
            raise errors.no_background(asked.model.id)
        if not asked.store:
            # ASSUMED (OpenAI's rule): it could not be retrieved.
            raise errors.invalid("background", "background responses must be stored")

    def _answer(
        self, asked: request.CreateRequest, own: list[Json], begun: Json, ended: Json, fault: Fault, cost: int
    ) -> Response:
        rate: float | None = asked.model.benchmark[1] or None if asked.model.benchmark else self._options.rate
        record: Json = {"response": ended, "input": own}
        streamed = bool(asked.raw.get("stream"))
        if begun["background"]:
            self._begin_background(record, begun, fault, streamed)
            if not streamed:
                return JsonAnswer(200, response_at(record, self._service.clock()), fault=fault)

        def commit() -> bool:
            if begun["background"] and not self._is_running(begun["id"]):
                return False
            if asked.store:
                self._store.save({"response": ended, "input": own, "streamed": streamed})
            return True

        if streamed:
            writer = events.Writer(self._service.tokenizer.split, _pads(asked))
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

    def _begin_background(self, record: Json, begun: Json, fault: Fault, streamed: bool) -> None:
        """Section 2 "Background", VERIFIED (cb): queued, in_progress, completed.

        When, is a matter of the clock alone, so that it goes on without a process; a stream of it that is
        read to its end ends it at once.
        """
        now = self._service.clock()
        seconds = self._options.background_seconds
        record["timing"] = {"begins": now + 0.2 * seconds, "ends": now + seconds}
        failed = fault.failed_deltas is not None
        ended = responses.fail(begun, []) if failed else record["response"]
        self._store.save({**record, "response": ended, "streamed": streamed})

    def _is_running(self, response_id: str) -> bool:
        """Whether a stored background response was neither cancelled nor deleted."""
        record = self._store.load(response_id, self._service.clock())
        return record is not None and record["response"]["status"] != "cancelled"

    def retrieve(self, response_id: str, fault: Fault) -> Response:
        """GET /responses/{id}. Section 2 "Lifecycle", VERIFIED (cb).

        Raises:
            ApiError: 404.
        """
        return JsonAnswer(200, response_at(self._load(response_id), self._service.clock()), fault=fault)

    def stream_again(self, response_id: str, fault: Fault, *, after: int, pads: bool) -> Response:
        """GET /responses/{id}?stream=true&starting_after=N.

        Section 3 "Background stream resume": OpenAI's contract, untested on mantle; that it works only for
        what was created with `stream` is ASSUMED. The events are the same as the first time; the terminal one
        waits for the response's end.

        Args:
            response_id: of a stored response.
            fault: of the transport.
            after: the last sequence number that is not wanted again; -1 for all.
            pads: `include_obfuscation`.

        Raises:
            ApiError: 404; 400 where it was not streamed or this server does not resume.
        """
        record = self._load(response_id)
        if not record.get("streamed") or not self._options.resume_streams:
            raise errors.invalid("stream", "this response cannot be streamed")
        ended: Json = record["response"]
        begun: Json = {**ended, "status": "in_progress", "output": [], "usage": None, "completed_at": None}
        begun |= {"error": None, "incomplete_details": None}

        def due() -> bool:
            now = self._service.clock()
            current = self._store.load(response_id, now)
            return current is None or response_at(current, now)["status"] not in ("queued", "in_progress")

        frames = events.stream(events.Writer(self._service.tokenizer.split, pads), begun, ended)
        rest = (frame for number, frame in enumerate(frames) if number > after)
        return EventStream(
            rest, rate=self._options.rate, headers={}, fault=fault, due=due,
            commit=lambda: self._is_running(response_id),
        )  # fmt: skip

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
        response = response_at(record, self._service.clock())
        if response["status"] in ("queued", "in_progress"):
            response = {**response, "status": "cancelled"}
            self._store.save({"response": response, "input": record["input"]})
        return JsonAnswer(200, response, fault=fault)

    def _load(self, response_id: str) -> Json:
        record = self._store.load(response_id, self._service.clock())
        if record is None:
            raise errors.no_response(response_id)
        return record

    def _model(self, body: Json, previous: str | None, route: str, now: float) -> models.Model:
        name: str | None = body.get("model")
        if not name and previous and self.place.inherits_model:
            record = self._store.load(previous, now)
            name = record["response"]["model"] if record else None
        if not name:
            raise errors.missing("model")
        return models.find(name, self.place, route)


def _pads(asked: request.CreateRequest) -> bool:
    """Section 3, VERIFIED (sdk): padding unless it is declined. A benchmark's bytes are text alone."""
    declined = object_at(asked.raw, "stream_options").get("include_obfuscation") is False
    return not declined and asked.model.benchmark is None
