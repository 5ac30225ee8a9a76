"""Checks that wait for a person."""

from collections.abc import Mapping
from datetime import date
from typing import Unpack

from isa_user._async._io import Paged
from isa_user._async.base import BaseClient, ReadOptions, WriteOptions
from isa_user._async.compliance.checks import ROOT
from isa_user._models.base import Moment
from isa_user._models.compliance import CheckType, Review, ReviewItem, ReviewStats, ReviewStatus
from isa_user._request import Request, path

REVIEWS = f"{ROOT}/reviews"


class Reviews(BaseClient):
    """The review queue. Needs the permission `compliance:review`."""

    def list_reviews(
        self,
        *,
        status: ReviewStatus | None = None,
        check_type: CheckType | None = None,
        claimed_by: str | None = None,
        overdue: bool | None = None,
        escalated: bool | None = None,
        due_first: bool | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        **options: Unpack[ReadOptions],
    ) -> Paged[ReviewItem]:
        """Reviews, newest first; with `due_first` only those that wait, the most urgent first."""
        query = {
            "status": status,
            "check_type": check_type,
            "claimed_by": claimed_by,
            "overdue": overdue,
            "escalated": escalated,
            "due_first": due_first,
            "limit": limit,
            "cursor": cursor,
        }
        return self._pages(Request(method="GET", path=REVIEWS, query=query), ReviewItem, options)

    async def get_review(self, review_id: str, **options: Unpack[ReadOptions]) -> Review:
        """One review, with its findings and all that happened."""
        return await self._call(Request(method="GET", path=path(REVIEWS + "/{}", review_id)), Review, options)

    async def claim_review(self, review_id: str, **options: Unpack[WriteOptions]) -> Review:
        """Take a review, for as long as a claim holds. `Conflict` (`review_claimed`) where somebody has it."""
        return await self._call(Request(method="POST", path=path(REVIEWS + "/{}/claim", review_id)), Review, options)

    async def release_review(self, review_id: str, **options: Unpack[WriteOptions]) -> Review:
        """Give a claimed review back undecided."""
        return await self._call(Request(method="POST", path=path(REVIEWS + "/{}/release", review_id)), Review, options)

    async def approve_review(
        self,
        review_id: str,
        *,
        note: str | None = None,
        labels: Mapping[CheckType, bool] | None = None,
        **options: Unpack[WriteOptions],
    ) -> Review:
        """The text may stand. `labels` says by type whether its detector was right; left out, findings were wrong.

        Where two people must agree, the review waits for the second. `Conflict` (`review_decided`) where it is over.
        """
        body = {"note": note, "labels": labels}
        request = Request(method="POST", path=path(REVIEWS + "/{}/approve", review_id), body=body)
        return await self._call(request, Review, options)

    async def reject_review(
        self,
        review_id: str,
        *,
        note: str | None = None,
        labels: Mapping[CheckType, bool] | None = None,
        **options: Unpack[WriteOptions],
    ) -> Review:
        """The text may not stand; as `approve_review`, but findings that `labels` leaves out were right."""
        body = {"note": note, "labels": labels}
        request = Request(method="POST", path=path(REVIEWS + "/{}/reject", review_id), body=body)
        return await self._call(request, Review, options)

    async def escalate_review(
        self,
        review_id: str,
        *,
        note: str | None = None,
        second_reviewer: bool | None = None,
        **options: Unpack[WriteOptions],
    ) -> Review:
        """Call for help and end the claim; with `second_reviewer` two people must agree from now on."""
        body = {"note": note, "second_reviewer": second_reviewer}
        request = Request(method="POST", path=path(REVIEWS + "/{}/escalate", review_id), body=body)
        return await self._call(request, Review, options)

    async def review_stats(
        self,
        *,
        first_day: date | str | None = None,
        last_day: date | str | None = None,
        **options: Unpack[ReadOptions],
    ) -> ReviewStats:
        """The queue now, and of these days (UTC, both included) how fast it was and how right each detector."""
        query = {"from": first_day, "to": last_day}
        return await self._call(Request(method="GET", path=f"{REVIEWS}/stats", query=query), ReviewStats, options)

    async def review_labels(
        self, *, from_date: Moment | None = None, to_date: Moment | None = None, **options: Unpack[ReadOptions]
    ) -> str:
        """What people said of the detectors, a line of JSON a label; `to_date` is exclusive. Needs an admin's token."""
        query = {"from": from_date, "to": to_date}
        return await self._text(Request(method="GET", path=f"{REVIEWS}/labels", query=query), options)
