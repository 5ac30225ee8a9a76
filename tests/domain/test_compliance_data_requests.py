"""Rules of data-subject requests: who may approve, when one is overdue."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.contracts.compliance.data_requests import OPEN, RequestStatus
from core.domain.compliance.data_requests import is_overdue, may_approve

DUE = datetime(2026, 1, 31, tzinfo=UTC)
NAMES = st.sampled_from(["ann", "bob", "cy"])


@given(NAMES, NAMES, NAMES)
def test_four_eyes_are_those_of_somebody_else(decider: str, requested_by: str, subject: str) -> None:
    allowed = may_approve(decider, requested_by=requested_by, subject=subject, four_eyes=True)
    assert allowed is (decider != requested_by and decider != subject)


@given(NAMES, NAMES, NAMES)
def test_without_four_eyes_any_administrator_may(decider: str, requested_by: str, subject: str) -> None:
    assert may_approve(decider, requested_by=requested_by, subject=subject, four_eyes=False)


@pytest.mark.parametrize("status", list(RequestStatus))
def test_only_an_open_request_is_overdue_and_only_after_its_time(status: RequestStatus) -> None:
    assert is_overdue(status, DUE, DUE + timedelta(seconds=1)) is (status in OPEN)
    assert not is_overdue(status, DUE, DUE)
