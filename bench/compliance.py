"""`./ops bench compliance`: how fast all five detectors are, alone, through HTTP and in batches, and what they take."""

import asyncio
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

import httpx
import psutil

from bench import load
from bench.report import Measure
from bench.stack import ROOT, BenchStack
from bench.texts import hundred_words
from core.adapters.detectors import Detectors
from core.adapters.presidio import PiiDetector
from core.contracts.compliance import CheckType, PiiEntity
from deploy.processes import free_port

PREFIX = "compliance_"
TEXTS, ROUNDS = 200, 3
HTTP_CHECKS, HTTP_AT_ONCE = 300, 32
BATCH_ITEMS = 4000
READY_SECONDS, PAUSE = 60, 0.02
MIB = 1024 * 1024
API = "/api/v1/compliance"
TYPES = tuple(CheckType)
FOUR = frozenset({PiiEntity.EMAIL, PiiEntity.PHONE, PiiEntity.SSN, PiiEntity.CREDIT_CARD})
PII_TEXTS = 600
Judge = Callable[[list[str]], object]


def _in_process(_: BenchStack) -> Measure:
    """One text after another, as the front door asks; the thread that it is asked in is part of it."""
    detectors, texts = Detectors(), hundred_words(TEXTS)
    detectors.load()

    async def times() -> list[float]:
        taken = []
        for text in texts * ROUNDS:
            began = time.perf_counter()
            await detectors.inspect([text], TYPES)
            taken.append((time.perf_counter() - began) * 1000)
        return taken

    taken = asyncio.run(times())
    note = f"median of {len(taken)} texts of 100 words, all five types; 95th percentile {_late(taken):.2f} ms"
    return Measure(statistics.median(taken), None, 5.0, "ms", "figure", note)


def _late(taken: Sequence[float]) -> float:
    return statistics.quantiles(taken, n=20)[-1]


def _http(stack: BenchStack) -> Measure:
    with _client(stack) as client:
        texts = hundred_words(HTTP_CHECKS + 20, seed=1)
        taken = [_checked(client, text) for text in texts][20:]
    note = f"median of {len(taken)} checks, one after another, each text new; 95th percentile {_late(taken):.2f} ms"
    return Measure(statistics.median(taken), None, 15.0, "ms", "figure", note)


def _client(stack: BenchStack) -> httpx.Client:
    headers = {"Authorization": f"Bearer {stack.token()}"}
    return httpx.Client(base_url=stack.url("compliance"), headers=headers, timeout=60)


def _checked(client: httpx.Client, text: str) -> float:
    began = time.perf_counter()
    client.post(f"{API}/check", json={"content": text}).raise_for_status()
    return (time.perf_counter() - began) * 1000


def _rate(stack: BenchStack) -> Measure:
    # The first load has the detectors' processes started; of its texts none comes again.
    _, rate = (_checks_per_second(stack, text) for text in hundred_words(2, seed=2))
    note = f"{HTTP_AT_ONCE} connections, no text twice, after as long a load before; the load runs on the same machine"
    return Measure(rate, None, 200.0, "checks/s", "at least", note)


def _checks_per_second(stack: BenchStack, text: str) -> float:
    body = json.dumps({"content": f"{load.NUMBER} {text}"}).encode()
    url = f"{stack.url('compliance')}{API}/check"
    return load.requests_per_second(url, body, stack.token(), connections=HTTP_AT_ONCE)


def _pii(_: BenchStack) -> Measure:
    from bench.stock import stock_judge  # spaCy is read for this measure only

    texts = hundred_words(PII_TEXTS, seed=3)
    ours, stock, every = _in_turns([PiiDetector(FOUR).detect, stock_judge(), PiiDetector().detect], texts)
    note = "texts of 100 words, beside Presidio's AnalyzerEngine on a blank English pipeline, the same four entities; "
    return Measure(ours, stock, 3.0, "texts/s", note=f"{note}ours with all entities: {every:,.0f}")


def _in_turns(judges: Sequence[Judge], texts: list[str]) -> list[float]:
    """The best of some rounds of each, one after the other, so that what the machine does meanwhile meets all."""
    rounds = [[_texts_per_second(judge, texts) for judge in judges] for _ in range(ROUNDS)]
    return [max(column) for column in zip(*rounds, strict=True)]


def _texts_per_second(judge: Judge, texts: list[str]) -> float:
    judge(texts[:20])
    began = time.perf_counter()
    judge(texts)
    return len(texts) / (time.perf_counter() - began)


def _batch(stack: BenchStack) -> Measure:
    """From the request until the workflow says completed, beside the detectors asked for the same texts directly."""
    texts, detectors = hundred_words(BATCH_ITEMS, seed=4), Detectors()
    with _client(stack) as client:
        _run_batch(client, texts[:200])
        ours = BATCH_ITEMS / _run_batch(client, texts)
    floor = _texts_per_second(lambda part: asyncio.run(detectors.inspect(part, TYPES)), texts)
    note = f"{BATCH_ITEMS} items through API, workflow and Postgres, beside the detectors on the same list directly"
    return Measure(ours, floor, 0.8, "texts/s", note=note)


def _run_batch(client: httpx.Client, texts: list[str]) -> float:
    began = time.monotonic()
    body = {"items": [{"content": text} for text in texts], "wait": 0}
    batch_id = client.post(f"{API}/batch-check", json=body).raise_for_status().json()["batch_id"]
    while client.get(f"{API}/batches/{batch_id}?limit=1").raise_for_status().json()["status"] != "completed":
        time.sleep(PAUSE)
    return time.monotonic() - began


def _door_memory(stack: BenchStack) -> Measure:
    with _client(stack) as client:
        for text in hundred_words(50, seed=5):
            _checked(client, text)
        _checked(client, " ".join(hundred_words(100, seed=6)))
    door = _listening_on(int(stack.environment["OPS_COMPLIANCE_PORT"]))
    parts = [door, *door.children(recursive=True)]
    size = sum(part.memory_full_info().pss for part in parts) / MIB
    note = f"PSS of the compliance front door, its {len(parts) - 1} helper processes with it, all models in use"
    return Measure(size, None, 400.0, "MiB", "figure", note)


def _listening_on(port: int) -> psutil.Process:
    for found in psutil.net_connections("tcp"):
        if found.status == psutil.CONN_LISTEN and found.laddr and found.laddr.port == port and found.pid:
            return psutil.Process(found.pid)
    raise RuntimeError(f"nothing listens on {port}; the bench's stack has stopped")


def _ready(stack: BenchStack) -> Measure:
    taken = [_start_seconds(stack) for _ in range(ROUNDS)]
    note = f"a compliance front door alone, from start until ready; median of {ROUNDS}, the slowest {max(taken):.2f} s"
    return Measure(statistics.median(taken), None, 3.0, "s", "figure", note)


def _start_seconds(stack: BenchStack) -> float:
    port = free_port()
    environment = stack.environment | stack.process_environment() | {"OPS_COMPLIANCE_PORT": str(port)}
    began = time.monotonic()
    door = subprocess.Popen([sys.executable, "-m", "api", "compliance"], cwd=ROOT, env=environment)
    try:
        _wait_until_ready(f"http://127.0.0.1:{port}/health/ready")
        return time.monotonic() - began
    finally:
        door.terminate()
        door.wait()


def _wait_until_ready(url: str) -> None:
    ends = time.monotonic() + READY_SECONDS
    with httpx.Client() as client:  # to make one takes the processor for as long as many a look
        while time.monotonic() < ends:
            with suppress(httpx.TransportError):
                if client.get(url).status_code == httpx.codes.OK:
                    return
            time.sleep(PAUSE)
    raise RuntimeError(f"{url} was not ready within {READY_SECONDS} s")


def _quality(_: BenchStack) -> Measure:
    from bench.quality import compare  # the training's libraries are read for this measure only

    return compare()


def _unseen(_: BenchStack) -> Measure:
    from bench.unseen import measure  # as above

    return measure()


MEASURES: dict[str, Callable[[BenchStack], Measure]] = {
    f"{PREFIX}in_process": _in_process,
    f"{PREFIX}http": _http,
    f"{PREFIX}rate": _rate,
    f"{PREFIX}pii": _pii,
    f"{PREFIX}batch": _batch,
    f"{PREFIX}door_memory": _door_memory,
    f"{PREFIX}ready": _ready,
    f"{PREFIX}unseen": _unseen,
}
# needs the labelled texts, which are not part of the project
if "OPS_TRAINING_DATA" in os.environ:
    MEASURES[f"{PREFIX}quality"] = _quality
