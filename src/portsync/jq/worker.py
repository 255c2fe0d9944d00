"""The process that runs JQ: it reads frames from standard input and answers on standard output.

libjq holds the interpreter's lock, can loop for ever and can take all memory; so it runs in a process of its own,
with an empty environment and a memory limit, that can be killed. Imports nothing but jq and little of the standard
library: its start-up time is part of every run. orjson, a quarter of the start, is read where it is needed first.

A frame is two lengths (header, body; 4 and 8 bytes, big-endian), a header in JSON, and a body.
`{"run": key, "programs": [...], "context": {...}}` runs the first program on the body; where that fails, the next one.
The programs, and what `$context` stands for in them, come along the first time only. The answer's header is
`{"used": 0}`, or `{"error": message}`; its body the outputs, as lines. Before its first answer a worker says that it is
ready.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import struct
import sys
from _blake2 import blake2b  # hashlib would read OpenSSL
from json.encoder import encode_basestring
from types import ModuleType

import jq

TYPE_CHECKING = False  # typing would be an import, of a tenth of the start
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import BinaryIO

OUT_OF_MEMORY = "out of memory"

READY = b"\x06"
"""What a worker says once, before its first answer: it listens from now on."""

LENGTHS = struct.Struct(">IQ")
"""The two lengths before every frame."""


def read_frame(stream: BinaryIO) -> tuple[dict[str, object], bytes] | None:
    """The next header and body; None when the other side is gone."""
    lengths = stream.read(LENGTHS.size)
    if len(lengths) < LENGTHS.size:
        return None
    header_length, body_length = LENGTHS.unpack(lengths)
    return json.loads(stream.read(header_length)), stream.read(body_length)


def frame(header: dict[str, object], body: bytes) -> bytes:
    """A header and a body as bytes."""
    text = json.dumps(header).encode()
    return LENGTHS.pack(len(text), len(body)) + text + body


def limit_memory(mebibytes: int) -> None:
    """Let this process take at most `mebibytes` more address space than it has now."""
    with open("/proc/self/statm", "rb") as statm:  # noqa: PTH123 - pathlib would be an import
        now = int(statm.read().split()[0]) * resource.getpagesize()
    limit = now + mebibytes * 1024 * 1024
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def die_with_parent(parent: int) -> None:
    """Ask the kernel to kill this process when its parent, the process `parent`, dies (Linux, prctl(2))."""
    try:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    except (OSError, AttributeError):
        return  # not Linux: the timer and the end of standard input remain
    # Not compared with 1, which is the number of the parent itself in a container.
    if os.getppid() != parent:
        sys.exit(0)  # it died before it could be asked


_PR_SET_PDEATHSIG = 1


def run(programs: list[jq._Program], body: bytes) -> tuple[dict[str, object], bytes]:
    """The outputs of the first program that does not fail, as lines."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        return {"error": f"the body is not UTF-8: {error.reason} at byte {error.start}"}, b""
    failure = ""
    for index, program in enumerate(programs):
        try:
            return {"used": index}, b"\n".join(lines_of(program.input_text(text, slurp=True)))
        except (ValueError, TypeError, RecursionError, MemoryError) as error:
            failure = OUT_OF_MEMORY if isinstance(error, MemoryError) else str(error)
    return {"error": failure}, b""


def lines_of(outputs: Iterable[object]) -> Iterator[bytes]:
    """Each output as a line of JSON; of an entity two: `[index, identifier, blueprint, digest, errors]`, then itself.

    An identifier or blueprint that is no text is `{"type": ...}`; one that is a search is `{"search": ...}`.
    """
    for output in outputs:
        if type(output) is list:
            index, identifier, blueprint, is_search, entity, *errors = output
            body = _json(entity)
            if is_search:
                identifier = {"search": identifier}
            elif identifier is not None and type(identifier) is not str:
                identifier = {"type": type_of(identifier)}
            if type(blueprint) is not str:
                blueprint = {"type": type_of(blueprint)}
            digest = blake2b(body, digest_size=16).hexdigest()
            if type(identifier) is str and type(blueprint) is str and not errors:
                # As nearly all are; no slower by hand than with orjson.
                yield f'[{index},{encode_basestring(identifier)},{encode_basestring(blueprint)},"{digest}"]'.encode()
            else:
                yield _json([index, identifier, blueprint, digest, *errors])
            yield body
        else:
            yield _json(output)


def _json(value: object) -> bytes:
    """What is a text already as it is, anything else as JSON."""
    if type(value) is str:
        return value.encode()
    if "orjson" not in sys.modules:
        # It reads dataclasses, to know one when it meets it, and that reads inspect, which has half a compiler with it
        # and is for those who make dataclasses. Here nobody does, so an empty module stands in its place.
        sys.modules.setdefault("inspect", ModuleType("inspect"))
    import orjson  # noqa: PLC0415 - at the start it would cost more than all else

    return orjson.dumps(value)


def type_of(value: object) -> str:
    """What JQ calls the type of a value."""
    names = {bool: "boolean", int: "number", float: "number", str: "string", list: "array", dict: "object"}
    return names.get(type(value), "null")


def main() -> None:
    """Serve until standard input ends, the parent is gone, or a run takes too long.

    The parent kills a worker that is late. Where the parent is gone too, the kernel does: by the signal that it was
    asked to send when the parent dies, and by the timer, whose signal nothing in libjq can hold up.
    """
    die_with_parent(int(sys.argv[-3]))
    limit_memory(int(sys.argv[-2]))
    deadline = float(sys.argv[-1]) + 1.0
    compiled: dict[str, list[jq._Program]] = {}
    sys.stdout.buffer.write(READY)
    sys.stdout.buffer.flush()
    while (request := read_frame(sys.stdin.buffer)) is not None:
        header, body = request
        key = str(header["run"])
        texts = header.get("programs")
        try:
            if isinstance(texts, list):
                compiled[key] = [jq.compile(text, args={"context": header["context"]}) for text in texts]
        except ValueError as error:
            answer: tuple[dict[str, object], bytes] = {"error": f"the program does not compile: {error}"}, b""
        else:
            signal.setitimer(signal.ITIMER_REAL, deadline)
            answer = run(compiled[key], body)
            signal.setitimer(signal.ITIMER_REAL, 0)
        sys.stdout.buffer.write(frame(*answer))
        sys.stdout.buffer.flush()
