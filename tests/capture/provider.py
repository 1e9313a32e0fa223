"""A provider on this machine that keeps its own books: what a tracked call must agree with.

Speaks OpenAI's chat completions (streamed and not, tools), completions, embeddings and responses, and
Anthropic's messages. Every request that arrives is one `Request` in `Provider.ledger`, with the tokens that
were billed for it, whether or not the client was told. What goes wrong is written beforehand with `fail`.

    with Provider() as provider:
        provider.fail(500, 429)                      # the next two requests
        provider.answers["gpt-4o"] = Answer(text="hi", reasoning=12)
        litellm.completion(model="openai/gpt-4o", api_base=provider.url + "/v1", api_key="sk-test", …)
        assert [request.status for request in provider.ledger] == [500, 429, 200]
"""

from __future__ import annotations

import json
import socket
import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

Fault = int | Literal["timeout", "bad_json", "cut", "reset", "context_window"]
"""A status, or: no answer until the client gives up, an answer that is no JSON, a stream that breaks off,
a connection that is closed without an answer, a 400 that says that the prompt is too long."""


@dataclass(frozen=True)
class Answer:
    """What a model says, and what it bills. `input_tokens` is all input, cached included; `output_tokens` is
    all output, reasoning included; None of `input_tokens` counts the words of the request."""

    text: str = "Four, as far as I know."
    input_tokens: int | None = None
    output_tokens: int = 9
    cache_read: int = 0
    cache_write_5m: int = 0
    cache_write_1h: int = 0
    reasoning: int = 0
    tool: tuple[str, dict[str, Any]] | None = None
    usage: bool = True
    """Whether the client is told the tokens."""
    speed: str | None = None
    """What Anthropic's usage says of it: `fast`."""


@dataclass
class Request:
    """One request as the provider saw it, in order of arrival."""

    number: int
    path: str
    model: str
    stream: bool
    status: int = 200
    fault: str = ""
    response_id: str = ""
    billed: bool = False
    told: bool = False
    """Whether the client was sent the tokens."""
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read: int = 0
    cache_write: int = 0
    reasoning: int = 0
    key: str = ""
    headers: dict[str, str] = field(default_factory=dict[str, str])
    body: dict[str, Any] = field(default_factory=dict[str, Any])


class Provider:
    """The server, its ledger and its script; a context manager."""

    def __init__(self) -> None:
        self.ledger: list[Request] = []
        self.answers: dict[str, Answer] = {}
        self.default = Answer()
        self._faults: deque[Fault] = deque()
        self._faults_of: dict[str, deque[Fault]] = {}
        self._lock = threading.Lock()
        self.closing = threading.Event()
        self.retry_after: str | None = None
        self.refusal = ""
        """What a failure says beside its status: providers repeat the key that they refuse."""
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.provider = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> Provider:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop listening; a request that is being kept waiting is let go."""
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(60)

    @property
    def port(self) -> int:
        """The port, on 127.0.0.1."""
        return self._server.server_address[1]

    @property
    def url(self) -> str:
        """`http://127.0.0.1:<port>`; OpenAI's paths begin with `/v1`, Anthropic's is `/v1/messages`."""
        return f"http://127.0.0.1:{self.port}"

    def fail(self, *faults: Fault, model: str | None = None) -> None:
        """Let the next requests (of one model, or of any) go wrong in this order, one each."""
        with self._lock:
            if model is None:
                self._faults.extend(faults)
            else:
                self._faults_of.setdefault(model, deque()).extend(faults)

    def billed(self) -> dict[str, int]:
        """Totals of the ledger: requests, and the tokens of those whose client was told."""
        told = [request for request in self.ledger if request.told]
        return {
            "requests": len(self.ledger),
            "input_tokens": sum(request.input_tokens for request in told),
            "output_tokens": sum(request.output_tokens for request in told),
            "cache_read": sum(request.cache_read for request in told),
            "cache_write": sum(request.cache_write for request in told),
            "reasoning": sum(request.reasoning for request in told),
        }

    def arrived(
        self, path: str, body: dict[str, Any], headers: dict[str, str]
    ) -> tuple[Request, Fault | None]:
        """Enter a request into the ledger, and say what goes wrong with it."""
        model = str(body.get("model", ""))
        key = headers.get("authorization", "").removeprefix("Bearer ") or headers.get("x-api-key", "")
        with self._lock:
            number = len(self.ledger) + 1
            request = Request(number, path, model, bool(body.get("stream")), key=key)
            request.response_id = f"resp-{number:06d}"
            request.headers, request.body = headers, body
            own = self._faults_of.get(model)
            fault = own.popleft() if own else self._faults.popleft() if self._faults else None
            if fault is not None:
                request.fault, request.status = str(fault), _status(fault)
            # Last, and whole: who gave up waiting looks here while the request is still being dealt with.
            self.ledger.append(request)
        return request, fault

    def answer(self, request: Request) -> Answer:
        """What the model says to this request, entered into the ledger as billed."""
        said = self.answers.get(request.model, self.default)
        request.billed, request.told = True, said.usage
        asked = said.input_tokens
        request.input_tokens = len(json.dumps(request.body).split()) + 3 if asked is None else asked
        request.output_tokens = 0 if "embeddings" in request.path else said.output_tokens
        request.cache_read = said.cache_read
        request.cache_write = said.cache_write_5m + said.cache_write_1h
        request.reasoning = said.reasoning
        return said


def _status(fault: Fault) -> int:
    """What a client is told of a request that goes wrong; 0 where it is told nothing."""
    if isinstance(fault, int):
        return fault
    return {"timeout": 0, "reset": 0, "context_window": 400}.get(fault, 200)


class _Server(ThreadingHTTPServer):
    provider: Provider
    daemon_threads = True
    request_queue_size = 512

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is part of the play."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet: what a test wants to know is in the ledger."""

    def do_POST(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        raw = self.rfile.read(length)
        try:
            body: dict[str, Any] = json.loads(raw)
        except ValueError:
            body = {}
        headers = {name.lower(): value for name, value in self.headers.items()}
        provider = self.server.provider
        request, fault = provider.arrived(self.path, body, headers)
        if fault is not None and fault != "cut":
            self._go_wrong(request, fault)
            return
        said = provider.answer(request)
        if self.path.endswith("/messages"):
            events = _anthropic_events(request, said) if request.stream else None
            whole = None if events else _anthropic(request, said)
        elif self.path.endswith("/embeddings"):
            events, whole = None, _embeddings(request)
        elif self.path.endswith("/responses"):
            events = _responses_events(request, said) if request.stream else None
            whole = None if events else _response(request, said)
        elif self.path.endswith("/chat/completions"):
            events = _chat_events(request, said) if request.stream else None
            whole = None if events else _chat(request, said)
        elif self.path.endswith("/completions"):
            events = _text_events(request, said) if request.stream else None
            whole = None if events else _text(request, said)
        else:
            request.status, request.billed, request.told = 404, False, False
            self._say(404, {"error": {"message": f"no such path: {self.path}", "type": "not_found"}})
            return
        if events is not None:
            self._stream(request, list(events), cut=fault == "cut")
        elif fault == "cut":
            request.told = False
            self.close_connection = True
            self.wfile.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 999\r\n\r\n{"
            )
        else:
            self._say(200, whole)

    def _go_wrong(self, request: Request, fault: Fault) -> None:
        if fault == "timeout":
            self.server.provider.closing.wait(60)
            self.close_connection = True
        elif fault == "reset":
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
        elif fault == "bad_json":
            request.billed = True
            self._say(200, b"<html>this is no JSON</html>")
        elif fault == "context_window":
            message = "This model's maximum context length is 8192 tokens. Please reduce the prompt."
            error = {"message": message, "type": "invalid_request_error", "code": "context_length_exceeded"}
            self._say(400, {"error": error})
        else:
            message = f"scripted failure {fault} {self.server.provider.refusal}".rstrip()
            error = {"message": message, "type": "scripted", "code": str(fault)}
            self._say(int(fault), {"type": "error", "error": error})

    def _say(self, status: int, body: Any) -> None:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(raw)))
        if status == 429 and self.server.provider.retry_after is not None:
            self.send_header("Retry-After", self.server.provider.retry_after)
        self.end_headers()
        self.wfile.write(raw)

    def _stream(self, request: Request, events: list[str], *, cut: bool) -> None:
        if cut:
            request.told = False
            events = events[:2]
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for event in events:
            raw = event.encode()
            self.wfile.write(f"{len(raw):x}\r\n".encode() + raw + b"\r\n")
            self.wfile.flush()
        if cut:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
        else:
            self.wfile.write(b"0\r\n\r\n")


def _data(value: Any, event: str = "") -> str:
    named = f"event: {event}\n" if event else ""
    return f"{named}data: {value if isinstance(value, str) else json.dumps(value)}\n\n"


def _words(text: str) -> list[str]:
    words = text.split(" ")
    return [word + (" " if place < len(words) - 1 else "") for place, word in enumerate(words)]


def _usage(request: Request) -> dict[str, Any]:
    return {
        "prompt_tokens": request.input_tokens,
        "completion_tokens": request.output_tokens,
        "total_tokens": request.input_tokens + request.output_tokens,
        "prompt_tokens_details": {"cached_tokens": request.cache_read},
        "completion_tokens_details": {"reasoning_tokens": request.reasoning},
    }


def _tool_call(request: Request, said: Answer) -> dict[str, Any] | None:
    if said.tool is None:
        return None
    name, arguments = said.tool
    function = {"name": name, "arguments": json.dumps(arguments)}
    return {"id": f"call_{request.number}", "type": "function", "function": function}


def _chat(request: Request, said: Answer) -> dict[str, Any]:
    call = _tool_call(request, said)
    message: dict[str, Any] = {"role": "assistant", "content": None if call else said.text}
    if call:
        message["tool_calls"] = [call]
    whole: dict[str, Any] = {
        "id": request.response_id,
        "object": "chat.completion",
        "created": 1_790_000_000,
        "model": request.model,
        "service_tier": "default",
        "choices": [{"index": 0, "message": message, "finish_reason": "tool_calls" if call else "stop"}],
    }
    if said.usage:
        whole["usage"] = _usage(request)
    return whole


def _chat_events(request: Request, said: Answer) -> Iterator[str]:
    head = {
        "id": request.response_id,
        "object": "chat.completion.chunk",
        "created": 1_790_000_000,
        "model": request.model,
    }

    def piece(delta: dict[str, Any], finish: str | None = None) -> str:
        return _data({**head, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})

    call = _tool_call(request, said)
    if call:
        arguments = call["function"]["arguments"]
        half = len(arguments) // 2
        opening = {**call, "index": 0, "function": {"name": call["function"]["name"], "arguments": ""}}
        yield piece({"role": "assistant", "content": None, "tool_calls": [opening]})
        for part in (arguments[:half], arguments[half:]):
            yield piece({"tool_calls": [{"index": 0, "function": {"arguments": part}}]})
    else:
        yield piece({"role": "assistant", "content": ""})
        for word in _words(said.text):
            yield piece({"content": word})
    yield piece({}, "tool_calls" if call else "stop")
    asked = (request.body.get("stream_options") or {}).get("include_usage")
    request.told = bool(asked) and said.usage
    if request.told:
        yield _data({**head, "choices": [], "usage": _usage(request)})
    yield _data("[DONE]")


def _text(request: Request, said: Answer) -> dict[str, Any]:
    return {
        "id": request.response_id,
        "object": "text_completion",
        "created": 1_790_000_000,
        "model": request.model,
        "choices": [{"index": 0, "text": said.text, "finish_reason": "stop", "logprobs": None}],
        "usage": _usage(request),
    }


def _text_events(request: Request, said: Answer) -> Iterator[str]:
    head = {"id": request.response_id, "object": "text_completion", "created": 1, "model": request.model}
    for word in _words(said.text):
        yield _data({**head, "choices": [{"index": 0, "text": word, "finish_reason": None}]})
    yield _data({**head, "choices": [{"index": 0, "text": "", "finish_reason": "stop"}]})
    asked = (request.body.get("stream_options") or {}).get("include_usage")
    request.told = bool(asked) and said.usage
    if request.told:
        yield _data({**head, "choices": [], "usage": _usage(request)})
    yield _data("[DONE]")


def _embeddings(request: Request) -> dict[str, Any]:
    asked = request.body.get("input")
    count = len(asked) if isinstance(asked, list) else 1
    return {
        "object": "list",
        "model": request.model,
        "data": [{"object": "embedding", "index": n, "embedding": [0.25, 0.5]} for n in range(count)],
        "usage": {"prompt_tokens": request.input_tokens, "total_tokens": request.input_tokens},
    }


def _response(request: Request, said: Answer) -> dict[str, Any]:
    part = {"type": "output_text", "text": said.text, "annotations": []}
    return {
        "id": request.response_id,
        "object": "response",
        "created_at": 1_790_000_000,
        "status": "completed",
        "model": request.model,
        "output": [
            {"type": "message", "id": "msg_1", "status": "completed", "role": "assistant", "content": [part]}
        ],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": {
            "input_tokens": request.input_tokens,
            "input_tokens_details": {"cached_tokens": request.cache_read},
            "output_tokens": request.output_tokens,
            "output_tokens_details": {"reasoning_tokens": request.reasoning},
            "total_tokens": request.input_tokens + request.output_tokens,
        },
    }


def _responses_events(request: Request, said: Answer) -> Iterator[str]:
    whole = _response(request, said)
    empty = {**whole, "status": "in_progress", "output": [], "usage": None}
    yield _data({"type": "response.created", "sequence_number": 0, "response": empty}, "response.created")
    place = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    for number, word in enumerate(_words(said.text), 1):
        delta = {"type": "response.output_text.delta", "sequence_number": number, "delta": word, **place}
        yield _data(delta, "response.output_text.delta")
    last = {"type": "response.completed", "sequence_number": 99, "response": whole}
    yield _data(last, "response.completed")


def _anthropic_usage(request: Request, said: Answer, output: int) -> dict[str, Any]:
    """Anthropic's own way of counting: input leaves out what was read from or written to the cache."""
    return {
        "input_tokens": request.input_tokens - request.cache_read - request.cache_write,
        "output_tokens": output,
        "cache_read_input_tokens": request.cache_read,
        "cache_creation_input_tokens": request.cache_write,
        "cache_creation": {
            "ephemeral_5m_input_tokens": said.cache_write_5m,
            "ephemeral_1h_input_tokens": said.cache_write_1h,
        },
        "service_tier": "standard",
        **({} if said.speed is None else {"speed": said.speed}),
    }


def _anthropic_block(request: Request, said: Answer) -> dict[str, Any]:
    if said.tool is None:
        return {"type": "text", "text": said.text}
    return {"type": "tool_use", "id": f"toolu_{request.number}", "name": said.tool[0], "input": said.tool[1]}


def _anthropic(request: Request, said: Answer) -> dict[str, Any]:
    return {
        "id": request.response_id,
        "type": "message",
        "role": "assistant",
        "model": request.model,
        "content": [_anthropic_block(request, said)],
        "stop_reason": "tool_use" if said.tool else "end_turn",
        "stop_sequence": None,
        "usage": _anthropic_usage(request, said, request.output_tokens),
    }


def _anthropic_events(request: Request, said: Answer) -> Iterator[str]:
    whole = _anthropic(request, said)
    opening = {
        **whole,
        "content": [],
        "stop_reason": None,
        "usage": _anthropic_usage(request, said, 1),
    }
    yield _data({"type": "message_start", "message": opening}, "message_start")
    block = _anthropic_block(request, said)
    empty = {**block, "text": ""} if said.tool is None else {**block, "input": {}}
    yield _data({"type": "content_block_start", "index": 0, "content_block": empty}, "content_block_start")
    if said.tool is None:
        deltas = [{"type": "text_delta", "text": word} for word in _words(said.text)]
    else:
        deltas = [{"type": "input_json_delta", "partial_json": json.dumps(said.tool[1])}]
    for delta in deltas:
        yield _data({"type": "content_block_delta", "index": 0, "delta": delta}, "content_block_delta")
    yield _data({"type": "content_block_stop", "index": 0}, "content_block_stop")
    ending = {
        "type": "message_delta",
        "delta": {"stop_reason": whole["stop_reason"], "stop_sequence": None},
        "usage": {"output_tokens": request.output_tokens},
    }
    yield _data(ending, "message_delta")
    yield _data({"type": "message_stop"}, "message_stop")
