"""A person's right to their data, and to its erasure (GDPR art. 15, 17, 20)."""

from collections.abc import Sequence
from typing import Unpack

from isa_user._async._io import Paged
from isa_user._async.base import BaseClient, ReadOptions, WriteOptions
from isa_user._async.compliance.checks import ROOT
from isa_user._constants import WAIT_WITHIN
from isa_user._models.compliance.data_requests import DataRequest, DataRequestKind, DataRequestStatus
from isa_user._request import Request, path

ONE = ROOT + "/data-requests/{}"


class DataRequests(BaseClient):
    """Exports and erasures of one person's data in all five services."""

    async def create_data_request(
        self,
        *,
        kind: DataRequestKind,
        subject: str | None = None,
        email_addresses: Sequence[str] | None = None,
        phone_numbers: Sequence[str] | None = None,
        reason: str | None = None,
        reference: str | None = None,
        due_days: int | None = None,
        **options: Unpack[WriteOptions],
    ) -> DataRequest:
        """Ask for one; an administrator must approve it. `subject` is a user id, the token's own when left out.

        Without `compliance:admin`, only an export of one's own data. `Conflict` (`data_request_open`) while one of the
        same kind for the same person is open.
        """
        body = {
            "kind": kind,
            "subject": subject,
            "email_addresses": email_addresses,
            "phone_numbers": phone_numbers,
            "reason": reason,
            "reference": reference,
            "due_days": due_days,
        }
        return await self._call(Request(method="POST", path=f"{ROOT}/data-requests", body=body), DataRequest, options)

    def list_data_requests(
        self,
        *,
        kind: DataRequestKind | None = None,
        status: DataRequestStatus | None = None,
        subject: str | None = None,
        overdue: bool | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        **options: Unpack[ReadOptions],
    ) -> Paged[DataRequest]:
        """Requests, newest first; `subject` also finds what was erased for that user id."""
        query = {
            "kind": kind,
            "status": status,
            "subject": subject,
            "overdue": overdue,
            "limit": limit,
            "cursor": cursor,
        }
        return self._pages(Request(method="GET", path=f"{ROOT}/data-requests", query=query), DataRequest, options)

    async def get_data_request(self, request_id: str, **options: Unpack[ReadOptions]) -> DataRequest:
        """How far a request is, service by service."""
        return await self._call(Request(method="GET", path=path(ONE, request_id)), DataRequest, options)

    async def approve_data_request(
        self, request_id: str, *, note: str | None = None, **options: Unpack[WriteOptions]
    ) -> DataRequest:
        """Let it run. `PermissionDenied` (`four_eyes`) for who asked for it, or whom it is about."""
        request = Request(method="POST", path=path(ONE + "/approve", request_id), body={"note": note})
        return await self._call(request, DataRequest, options)

    async def reject_data_request(
        self, request_id: str, *, note: str | None = None, **options: Unpack[WriteOptions]
    ) -> DataRequest:
        """Refuse it. `Conflict` (`data_request_decided`) once somebody has decided."""
        request = Request(method="POST", path=path(ONE + "/reject", request_id), body={"note": note})
        return await self._call(request, DataRequest, options)

    async def cancel_data_request(
        self, request_id: str, *, note: str | None = None, **options: Unpack[WriteOptions]
    ) -> DataRequest:
        """Take it back before it is decided."""
        request = Request(method="POST", path=path(ONE + "/cancel", request_id), body={"note": note})
        return await self._call(request, DataRequest, options)

    async def data_request_artifact(self, request_id: str, **options: Unpack[ReadOptions]) -> bytes:
        """The file of a completed export: one JSON object a line, the first a manifest. Status 410 after its time."""
        return await self._bytes(Request(method="GET", path=path(ONE + "/artifact", request_id)), options)

    async def wait_for_data_request(
        self, request_id: str, *, within: float = WAIT_WITHIN, **options: Unpack[ReadOptions]
    ) -> DataRequest:
        """The request once it is over. `TimedOut` after `within` seconds; a decision may take days."""
        return await self._wait(
            lambda: self.get_data_request(request_id, **options), done=lambda one: one.finished, within=within
        )
