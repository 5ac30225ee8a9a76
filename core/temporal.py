"""Temporal at the edge: one client, one converter, one sandbox, and the keeper of intents."""

import asyncio
import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import structlog
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
from temporalio.client import Client, TLSConfig
from temporalio.common import (
    Priority,
    SearchAttributeKey,
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDReusePolicy,
)
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from core.contracts.platform import (
    OPS_CORRELATION_ID,
    OPS_SERVICE,
    OPS_TENANT,
    OPS_USER,
    SEARCH_ATTRIBUTES,
    Intent,
    IntentKind,
)
from core.settings import Settings
from core.telemetry import temporal_interceptors

log = structlog.get_logger(__name__)

DATA_CONVERTER = pydantic_data_converter
PASSTHROUGH = ("core.contracts", "core.errors", "core.ports", "activities")
RPC_TIMEOUT = timedelta(seconds=3)
QUIET_AFTER_FAILURE_SECONDS = 2.0
AT_ONCE = 32
"""More calls at the same time would only wait for each other, and some past their time-out."""
# Only a Temporal that is away gets a rest; an intent that it refuses must not hold up the others.
AWAY = (RPCStatusCode.UNAVAILABLE, RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED, RPCStatusCode.UNKNOWN)


def sandbox() -> SandboxedWorkflowRunner:
    """The runner every worker, test and Replayer uses. core.domain stays sandboxed, so a clock in a rule is caught."""
    return SandboxedWorkflowRunner(restrictions=SandboxRestrictions.default.with_passthrough_modules(*PASSTHROUGH))


async def connect(settings: Settings, *, lazy: bool = False) -> Client:
    """A client; a lazy one connects at its first call, so a front door starts without Temporal."""
    return await Client.connect(
        settings.temporal_address,
        namespace=settings.temporal_namespace,
        api_key=settings.temporal_api_key.get_secret_value() if settings.temporal_api_key else None,
        tls=_tls(settings),
        data_converter=DATA_CONVERTER,
        interceptors=temporal_interceptors(settings),
        lazy=lazy,
    )


def _tls(settings: Settings) -> bool | TLSConfig:
    if settings.temporal_tls_cert and settings.temporal_tls_key:
        certificate, key = Path(settings.temporal_tls_cert), Path(settings.temporal_tls_key)
        return TLSConfig(client_cert=certificate.read_bytes(), client_private_key=key.read_bytes())
    return settings.temporal_api_key is not None


def workflow_url(settings: Settings, workflow_id: str) -> str:
    """Where an operator sees this workflow in Temporal's UI."""
    base = settings.temporal_ui_url.rstrip("/")
    return f"{base}/namespaces/{settings.temporal_namespace}/workflows/{quote(workflow_id, safe='')}"


def search_attributes(intent: Intent) -> TypedSearchAttributes:
    """What an operator can search for."""
    values = {
        OPS_TENANT: intent.tenant_id,
        OPS_USER: intent.user_id,
        OPS_CORRELATION_ID: intent.correlation_id,
        OPS_SERVICE: intent.service.value,
    }
    pairs = [SearchAttributePair(SearchAttributeKey.for_keyword(k), v) for k, v in values.items() if v]
    return TypedSearchAttributes(pairs)


async def register_search_attributes(client: Client) -> None:
    """Make the namespace know our attributes; harmless when it does."""
    known = await client.operator_service.list_search_attributes(
        ListSearchAttributesRequest(namespace=client.namespace)
    )
    missing = [name for name in SEARCH_ATTRIBUTES if name not in known.custom_attributes]
    if missing:
        keyword = IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD
        await client.operator_service.add_search_attributes(
            AddSearchAttributesRequest(namespace=client.namespace, search_attributes=dict.fromkeys(missing, keyword))
        )


class Keeper:
    """Carries intents out. A second start, or a cancel of what has ended, counts as kept: the wish holds already."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._quiet_until = 0.0
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def keep(self, intents: Sequence[Intent]) -> list[str]:
        """The ids of the intents that Temporal now knows; those left are the reconciler's."""
        kept = await asyncio.gather(*(self._keep(intent) for intent in intents))
        return [intent.intent_id for intent, done in zip(intents, kept, strict=True) if done]

    async def _keep(self, intent: Intent) -> bool:
        async with self._turns:
            return time.monotonic() >= self._quiet_until and await self._kept(intent)

    async def _kept(self, intent: Intent) -> bool:
        try:
            await self._carry_out(intent)
        except WorkflowAlreadyStartedError:
            return True
        except RPCError as error:
            if error.status == RPCStatusCode.NOT_FOUND and intent.kind is not IntentKind.START:
                return True
            return self._left(intent, error)
        except (RuntimeError, OSError) as error:  # what a lazy client raises when it cannot connect
            return self._left(intent, error)
        return True

    def _left(self, intent: Intent, error: Exception) -> bool:
        if not isinstance(error, RPCError) or error.status in AWAY:
            self._quiet_until = time.monotonic() + QUIET_AFTER_FAILURE_SECONDS
        log.warning("intent.left_for_reconciler", intent_id=intent.intent_id, reason=str(error)[:200])
        return False

    async def _carry_out(self, intent: Intent) -> None:
        handle = self._client.get_workflow_handle(intent.workflow_id)
        if intent.kind is IntentKind.CANCEL:
            await handle.cancel(rpc_timeout=RPC_TIMEOUT)
        elif intent.kind is IntentKind.SIGNAL:
            await handle.signal(intent.signal, intent.payload, rpc_timeout=RPC_TIMEOUT)
        else:
            await self._start(intent)

    async def _start(self, intent: Intent) -> None:
        await self._client.start_workflow(
            intent.workflow_type,
            intent.payload,
            id=intent.workflow_id,
            task_queue=intent.queue,
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
            search_attributes=search_attributes(intent),
            static_summary=intent.summary or None,
            start_delay=timedelta(seconds=intent.start_delay_seconds) if intent.start_delay_seconds else None,
            priority=Priority(priority_key=intent.priority) if intent.priority else Priority.default,
            rpc_timeout=RPC_TIMEOUT,
        )
