"""The review queue at the front door: opened by checks, claimed, decided, escalated, listed, counted, exported."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from core.db import Database
from core.ids import new_id
from tests.conftest import Doors, Headers

API = "/api/v1/compliance"
PERSONAL = "Write to ann@example.com"
TERMS: dict[str, Any] = {"rules": {"pii": {"action": "review"}}, "keep_redacted": True, "cache_seconds": 0}


async def with_policy(compliance: httpx.AsyncClient, **more: Any) -> str:
    name = new_id("pol").replace("_", "-")
    answer = await compliance.post(f"{API}/policies", json={"name": name, **TERMS, **more})
    assert answer.status_code == 201, answer.text
    return name


async def check(client: httpx.AsyncClient, policy: str, text: str = PERSONAL) -> dict[str, Any]:
    answer = await client.post(f"{API}/check", json={"content": text, "check_types": ["pii"], "policy": policy})
    assert answer.status_code == 200, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def opened(compliance: httpx.AsyncClient, **terms: Any) -> str:
    made = await check(compliance, await with_policy(compliance, **terms))
    assert made["status"] == "review"
    review_id: str = made["review"]["review_id"]
    return review_id


async def test_a_check_that_a_policy_sends_to_review_opens_one(compliance: httpx.AsyncClient) -> None:
    made = await check(compliance, await with_policy(compliance))
    assert made["review"] == {
        "review_id": f"review_{made['check_id'].partition('_')[2]}", "status": "open", "decision": None,
    }  # fmt: skip
    kept = (await compliance.get(f"{API}/checks/{made['check_id']}")).json()
    assert kept["review"] == made["review"]
