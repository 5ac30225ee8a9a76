"""Load on one HTTP route: wrk or oha where installed, else a small generator of our own in a process of its own."""

import asyncio
import itertools
import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

SECONDS = 6
NUMBER = "00000000"
"""Where this stands in a body, each request says its own number, so that no two are alike."""


def requests_per_second(url: str, body: bytes, token: str, *, connections: int) -> float:
    """POST `body` again and again over keep-alive connections; only 2xx count."""
    if shutil.which("wrk"):
        return _wrk(url, body, token, connections)
    if shutil.which("oha") and NUMBER.encode() not in body:
        return _oha(url, body, token, connections)
    return _own(url, body, token, connections)


def generator() -> str:
    """Which load generator this machine has, for the report."""
    return next((name for name in ("wrk", "oha") if shutil.which(name)), "python -m bench.load")


def _wrk(url: str, body: bytes, token: str, connections: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        payload, script = Path(folder) / "body", Path(folder) / "post.lua"
        payload.write_bytes(body)
        script.write_text(
            f'wrk.method = "POST"\nlocal file = io.open("{payload}", "rb")\nwrk.body = file:read("*a")\n'
            f'wrk.headers["Content-Type"] = "application/json"\nwrk.headers["Authorization"] = "Bearer {token}"\n'
            f"local body, sent = wrk.body, 0\nfunction request()\n  sent = sent + 1\n"
            f'  return wrk.format(nil, nil, nil, (body:gsub("{NUMBER}", string.format("%08d", sent))))\nend\n'
        )
        command = ["wrk", "-t1", f"-c{connections}", f"-d{SECONDS}s", "-s", str(script), url]
        printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    if failed := re.search(r"Non-2xx or 3xx responses: (\d+)", printed):
        raise RuntimeError(f"{failed.group(1)} requests to {url} failed; see the front door's log")
    return _number(r"Requests/sec:\s+([\d.]+)", printed)


def _oha(url: str, body: bytes, token: str, connections: int) -> float:
    with tempfile.NamedTemporaryFile() as payload:
        payload.write(body)
        payload.flush()
        command = [
            "oha", "--no-tui", "-j", "-c", str(connections), "-z", f"{SECONDS}s", "-m", "POST", "-D", payload.name,
            "-H", "Content-Type: application/json", "-H", f"Authorization: Bearer {token}", url,
        ]  # fmt: skip
        printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    codes: dict[str, int] = json.loads(printed)["statusCodeDistribution"]
    return sum(count for code, count in codes.items() if code.startswith("2")) / SECONDS


def _own(url: str, body: bytes, token: str, connections: int) -> float:
    command = [sys.executable, "-m", "bench.load", url, str(connections)]
    done = subprocess.run(command, input=token.encode() + b"\n" + body, stdout=subprocess.PIPE, check=True)
    return float(done.stdout)


def _number(pattern: str, text: str) -> float:
    found = re.search(pattern, text)
    if not found:
        raise RuntimeError(f"the load generator printed no {pattern!r}:\n{text}")
    return float(found.group(1))


async def _pound(url: str, body: bytes, token: str, connections: int) -> float:
    parts, ends = urlsplit(url), time.monotonic() + SECONDS
    head = f"POST {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nAuthorization: Bearer {token}\r\n"
    start = f"{head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    numbers = itertools.count()

    async def one() -> int:
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        count = 0
        while time.monotonic() < ends:
            writer.write(start + body.replace(NUMBER.encode(), b"%08d" % next(numbers)))
            answer = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"content-length: (\d+)", answer.lower())
            await reader.readexactly(int(length.group(1)) if length else 0)
            count += answer.split(b" ", 2)[1].startswith(b"2")
        writer.close()
        return count

    return sum(await asyncio.gather(*(one() for _ in range(connections)))) / SECONDS


if __name__ == "__main__":
    given, _, sent = sys.stdin.buffer.read().partition(b"\n")
    print(asyncio.run(_pound(sys.argv[1], sent, given.decode(), int(sys.argv[2]))))
