"""What the compliance service holds of one person, and what becomes of it (ADR 9)."""

from core.contracts.compliance.data_requests import Deed
from core.store.platform.subject import Holding, mention, swapped

VERDICTS = "verdict, kinds of findings and times, under a pseudonym: accountability (GDPR art. 5(2), 17(3)(e))"
RULES = "the tenant's own rules"
PROOF = "that it was asked and answered, under a pseudonym: proof of compliance (GDPR art. 5(2))"
OTHERS = "the figures, without the name"
OWN_BATCH = "t.batch_id IN (SELECT batch_id FROM compliance.batches WHERE tenant_id = :tenant AND checked_by = :user)"
OWN_REVIEW = (
    "t.review_id IN (SELECT review_id FROM compliance.reviews WHERE tenant_id = :tenant AND checked_by = :user)"
)
EARLIER = (
    "(SELECT request_id FROM compliance.data_requests "
    "WHERE tenant_id = :tenant AND subject = :user AND request_id <> :request)"
)
ABOUT = "t.subject = :user"
NAME, PSEUDONYM = "CAST(:user AS text)", "CAST(:alias AS text)"
VOTED = f"t.votes @> jsonb_build_array(jsonb_build_object('by', {NAME}))"
VOTES = (
    f"SELECT jsonb_agg(CASE WHEN v->>'by' = :user THEN v || jsonb_build_object('by', {PSEUDONYM}) ELSE v END "
    "ORDER BY n) FROM jsonb_array_elements(t.votes) WITH ORDINALITY AS x(v, n)"
)
TOLD = ("reviewers", "escalate_to")
"""Whom the terms of a policy have told of reviews. What its lists say of texts is the tenant's."""


def _names_in(terms: str) -> str:
    """Whether these terms have the person told."""
    return "(" + " OR ".join(f"{terms}->'{field}' @> to_jsonb({NAME})" for field in TOLD) + ")"


def _renamed(terms: str) -> str:
    """The terms with the pseudonym for the name."""
    return f"{terms} || " + " || ".join(_renamed_list(terms, field) for field in TOLD)


def _renamed_list(terms: str, field: str) -> str:
    names = f"{terms}->'{field}'"
    new = f"jsonb_build_object('{field}', (({names}) - {NAME}) || to_jsonb({PSEUDONYM}))"
    return f"CASE WHEN {names} @> to_jsonb({NAME}) THEN {new} ELSE '{{}}' END"


IN_DRAFT, IN_VERSION = _names_in("t.draft"), _names_in("t.document")
HOLDINGS = (
    Holding(
        table="compliance.checks",
        key={"check_id": "text"},
        belongs="t.checked_by = :user",
        changed="checked_by = :alias, redacted = NULL, content_hash = ''",
        kept=VERDICTS,
    ),
    Holding(
        table="compliance.batch_items",
        key={"batch_id": "text", "position": "integer"},
        belongs=OWN_BATCH,
        still="t.item_id IS NOT NULL OR t.content IS NOT NULL",
        changed="item_id = NULL, content = NULL",
        kept=VERDICTS,
    ),
    Holding(
        table="compliance.batches",
        key={"batch_id": "text"},
        belongs="t.checked_by = :user",
        changed="checked_by = :alias",
        kept=VERDICTS,
    ),
    Holding(
        table="compliance.days",
        key={"day": "date", "figure": "text", "word": "text", "shard": "smallint"},
        belongs="t.who = :user",
        deed=Deed.DELETED,
    ),
    Holding(
        table="compliance.reports",
        key={"report_id": "text"},
        belongs="t.only_of = :user",
        deed=Deed.DELETED,
        hidden=("html",),
    ),
    Holding(
        table="compliance.reports",
        key={"report_id": "text"},
        belongs=f"t.requested_by = :user OR {mention('result', 'html')}",
        mentions=("requested_by", "result", "html"),
        changed="pdf = NULL",
        exported=False,
        unfinished="t.status = 'pending'",
        kept=OTHERS,
    ),
    # before reviews: whoever opens one reads there whom to tell
    Holding(
        table="compliance.policy_versions",
        key={"name": "text", "version": "integer"},
        belongs=f"t.created_by = :user OR {IN_VERSION}",
        changed=(
            f"{swapped('created_by')}, document = CASE WHEN {IN_VERSION} "
            f"THEN {_renamed('t.document')} ELSE t.document END"
        ),
        hidden=("document",),
        veiled=("created_by",),
        kept=RULES,
    ),
    Holding(
        table="compliance.review_steps",
        key={"review_id": "text", "position": "integer"},
        belongs=f"t.by = :user OR {OWN_REVIEW}",
        still="t.by = :user OR t.note IS NOT NULL",
        changed=f"{swapped('by')}, note = CASE WHEN {OWN_REVIEW} THEN NULL ELSE t.note END",
        hidden=("told",),
        veiled=("by",),
        kept=VERDICTS,
    ),
    Holding(
        table="compliance.review_steps",
        key={"review_id": "text", "position": "integer"},
        belongs=mention("note", "told"),
        mentions=("note", "told"),
        exported=False,
        kept="notes of others, without the name",
    ),
    Holding(
        table="compliance.reviews",
        key={"review_id": "text"},
        belongs=(
            "t.checked_by = :user OR t.claimed_by = :user OR t.decided_by = :user "
            f"OR :user = ANY(t.reviewers) OR :user = ANY(t.escalate_to) OR {VOTED}"
        ),
        changed=(
            f"{swapped('checked_by', 'claimed_by', 'decided_by')}, "
            "reviewers = array_replace(t.reviewers, :user, :alias), "
            "escalate_to = array_replace(t.escalate_to, :user, :alias), "
            f"votes = CASE WHEN {VOTED} THEN ({VOTES}) ELSE t.votes END, "
            "content_hash = CASE WHEN t.checked_by = :user THEN '' ELSE t.content_hash END"
        ),
        hidden=("reviewers", "escalate_to", "votes"),
        veiled=("checked_by", "claimed_by", "decided_by"),
        kept=VERDICTS,
    ),
    Holding(
        table="compliance.review_labels",
        key={"review_id": "text", "check_type": "text"},
        belongs="t.decided_by = :user",
        changed="decided_by = :alias",
        kept=VERDICTS,
    ),
    Holding(
        table="compliance.policies",
        key={"name": "text"},
        belongs="t.created_by = :user",
        changed="created_by = :alias",
        kept=RULES,
    ),
    Holding(
        table="compliance.policy_assignments",
        key={"scope": "text", "subject": "text"},
        belongs="t.scope = 'caller' AND t.subject = :user",
        deed=Deed.DELETED,
    ),
    Holding(
        table="compliance.policy_assignments",
        key={"scope": "text", "subject": "text"},
        belongs="t.assigned_by = :user",
        mentions=("assigned_by",),
        kept=RULES,
    ),
    Holding(
        table="compliance.rescores",
        key={"rescore_id": "text"},
        belongs=f"t.requested_by = :user OR {IN_DRAFT}",
        changed=(
            f"{swapped('requested_by')}, draft = CASE WHEN {IN_DRAFT} THEN {_renamed('t.draft')} ELSE t.draft END"
        ),
        hidden=("draft",),
        veiled=("requested_by",),
        kept=RULES,
    ),
    Holding(
        table="compliance.data_request_chunks",
        key={"request_id": "text", "part": "text", "number": "integer"},
        belongs=f"t.request_id IN {EARLIER}",
        deed=Deed.DELETED,
        exported=False,
        page=20,
    ),
    Holding(
        table="compliance.data_requests",
        key={"request_id": "text"},
        belongs="t.subject = :user OR t.requested_by = :user OR t.decided_by = :user",
        still="t.request_id <> :request",
        changed=(
            f"{swapped('subject', 'requested_by', 'decided_by')}, "
            f"status = CASE WHEN {ABOUT} AND t.status = 'completed' THEN 'expired' ELSE t.status END, "
            f"email_addresses = CASE WHEN {ABOUT} THEN '{{}}' ELSE t.email_addresses END, "
            f"phone_numbers = CASE WHEN {ABOUT} THEN '{{}}' ELSE t.phone_numbers END, "
            f"reason = CASE WHEN {ABOUT} THEN NULL ELSE t.reason END, "
            f"note = CASE WHEN {ABOUT} THEN NULL ELSE t.note END"
        ),
        veiled=("subject", "requested_by", "decided_by"),
        kept=PROOF,
    ),
)
WITHOUT = {
    "compliance.review_days": "counters of the whole tenant",
    "compliance.data_request_steps": "counters of a request, which names the person",
}
