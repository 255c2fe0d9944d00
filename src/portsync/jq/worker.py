"""The process that runs JQ: it reads frames from standard input and answers on standard output.

libjq holds the interpreter's lock, can loop for ever and can take all memory; so it runs in a process of its own,
with an empty environment and a memory limit, that can be killed. Imports nothing but jq and the standard library:
its start-up time is part of every run.

A frame is two lengths (header, body; 4 and 8 bytes, big-endian), a header in JSON, and a body.
`{"run": key, "programs": [...]}` runs the first program on the body; where that fails, the next one. The programs
come along the first time only. The answer's header is `{"used": 0}`, or `{"error": message}`; its body the outputs,
one a line.
"""

from __future__ import annotations

import json
import resource
import struct
import sys
from typing import BinaryIO

import jq

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


def run(programs: list[jq._Program], body: bytes) -> tuple[dict[str, object], bytes]:
    """The outputs of the first program that does not fail, one a line."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        return {"error": f"the body is not UTF-8: {error.reason} at byte {error.start}"}, b""
    failure = ""
    for index, program in enumerate(programs):
        try:
            return {"used": index}, "\n".join(program.input_text(text, slurp=True)).encode("utf-8")
        except (ValueError, MemoryError) as error:
            failure = str(error) or "out of memory"
    return {"error": failure}, b""


def main() -> None:
    """Serve until standard input ends."""
    limit_memory(int(sys.argv[-1]))
    compiled: dict[str, list[jq._Program]] = {}
    while (request := read_frame(sys.stdin.buffer)) is not None:
        header, body = request
        key = str(header["run"])
        texts = header.get("programs")
        if isinstance(texts, list):
            compiled[key] = [jq.compile(text) for text in texts]
        sys.stdout.buffer.write(frame(*run(compiled[key], body)))
        sys.stdout.buffer.flush()
