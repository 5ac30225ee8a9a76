"""compliance.data_request: a decision awaited, then each service. compliance.data_requests_expire: old artifacts."""

import asyncio
from datetime import datetime, timedelta

from temporalio import workflow

from core.contracts.compliance.data_requests import (
    BEGIN_DATA_REQUEST,
    COLLECT_SUBJECT,
    DATA_REQUEST_PROGRESS,
    DATA_REQUEST_RUN,
    DATA_REQUESTS_EXPIRE,
    DECIDED,
    ERASE_SUBJECT,
    EXPIRE_ARTIFACTS,
    FINISH_DATA_REQUEST,
    REMIND_DATA_REQUEST,
    SERVICES,
    DataRequestInput,
    DataRequestOutcome,
    Expired,
    ExpireInput,
    Nothing,
    RequestKind,
    RequestStatus,
    ServiceInput,
    ServiceOutcome,
    Standing,
)
from core.contracts.platform import Service
from workflows.options import LONG, STORE


@workflow.defn(name=DATA_REQUEST_RUN)
class ComplianceDataRequest:
    """The request's row says what was decided; the signal only says that it is time to look."""

    @workflow.init
    def __init__(self, request: DataRequestInput) -> None:
        self._request = request
        self._decided = self._reminded = False
        self._outcome = DataRequestOutcome(request_id=request.request_id)

    @workflow.run
    async def run(self, _: DataRequestInput) -> DataRequestOutcome:
        standing = await self._look()
        while standing.status is RequestStatus.PENDING:
            await self._wait(standing.due_at)
            standing = await self._look()
        if standing.status is RequestStatus.RUNNING:
            await self._carry_out(standing.kind)
            standing = await self._finish()
        self._tell(standing.status)
        return self._outcome

    async def _look(self) -> Standing:
        standing: Standing = await workflow.execute_activity(
            BEGIN_DATA_REQUEST, self._request, result_type=Standing, summary="where it stands", **STORE
        )
        self._tell(standing.status)
        return standing

    async def _wait(self, due_at: datetime) -> None:
        """Until somebody decides; once the request is overdue, that is told."""
        if not self._reminded and not await self._decided_before(due_at):
            await workflow.execute_activity(REMIND_DATA_REQUEST, self._request, summary="overdue", **STORE)
            self._reminded = True
        await workflow.wait_condition(lambda: self._decided)
        self._decided = False

    async def _decided_before(self, due_at: datetime) -> bool:
        left = max(due_at - workflow.now(), timedelta(0))
        try:
            await workflow.wait_condition(lambda: self._decided, timeout=left)
        except TimeoutError:
            return False
        return True

    async def _carry_out(self, kind: RequestKind) -> None:
        """Exports from all services at once; erasures in turn, the logs last, as ending open work writes to them."""
        if kind is RequestKind.ERASE:
            for service in SERVICES:
                await self._of_service(ERASE_SUBJECT, service)
        else:
            await asyncio.gather(*(self._of_service(COLLECT_SUBJECT, service) for service in SERVICES))

    async def _of_service(self, activity_name: str, service: Service) -> None:
        wanted = ServiceInput(**self._request.model_dump(), service=service)
        done: ServiceOutcome = await workflow.execute_activity(
            activity_name, wanted, result_type=ServiceOutcome, summary=service.value, **LONG
        )
        self._outcome.rows[service.value] = done.rows
        self._tell(self._outcome.status)

    async def _finish(self) -> Standing:
        standing: Standing = await workflow.execute_activity(
            FINISH_DATA_REQUEST, self._request, result_type=Standing, summary="all services are done", **STORE
        )
        return standing

    def _tell(self, status: RequestStatus) -> None:
        self._outcome.status = status
        done = ", ".join(f"{name}: {rows}" for name, rows in self._outcome.rows.items())
        workflow.set_current_details(f"{status.value}. {done}".strip())

    @workflow.signal(name=DECIDED)
    def decided(self, _: Nothing) -> None:
        """Somebody approved, rejected or cancelled the request."""
        self._decided = True

    @workflow.query(name=DATA_REQUEST_PROGRESS)
    def progress(self) -> DataRequestOutcome:
        """Where it stands, and how many rows each service that is done had."""
        return self._outcome


@workflow.defn(name=DATA_REQUESTS_EXPIRE)
class ComplianceDataRequestsExpire:
    """Deletes artifacts past their time, for all tenants."""

    @workflow.run
    async def run(self, wanted: ExpireInput) -> Expired:
        done: Expired = await workflow.execute_activity(
            EXPIRE_ARTIFACTS, wanted, result_type=Expired, summary="artifacts past their time", **LONG
        )
        workflow.set_current_details(f"{done.artifacts} artifacts deleted")
        return done
