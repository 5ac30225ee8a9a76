"""Findings used again: the newest check of the same content under the same version of a policy."""

from collections.abc import Sequence

from pydantic_core import to_json
from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from core.contracts.compliance import Check, KnownContent
from core.store.compliance.checks import COLUMNS, as_check

_COLUMNS = ", ".join(f"c.{name}" for name in COLUMNS if name not in ("tenant_id", "entities", "redacted"))
# One look into the index for each, so that a text that a thousand callers sent costs as much as any other.
_FIND = text(f"""
SELECT k.place, {_COLUMNS}
FROM json_to_recordset(CAST(:wanted AS json)) AS k(
  place int, content_hash text, content_type text, check_types text[], policy text, policy_version int,
  checked_by text, since timestamptz
)
CROSS JOIN LATERAL (
  SELECT * FROM compliance.checks AS known
  WHERE known.content_hash = k.content_hash AND known.created_at > k.since AND known.cached_from IS NULL
    AND known.content_type = k.content_type AND known.policy = k.policy AND known.policy_version = k.policy_version
    AND known.check_types @> k.check_types AND known.check_types <@ k.check_types
    AND (k.checked_by IS NULL OR known.checked_by = k.checked_by)
  ORDER BY known.created_at DESC LIMIT 1
) AS c
""")


async def known_checks(session: AsyncSession, wanted: Sequence[KnownContent]) -> list[Check | None]:
    """For each, the check whose findings may be used again, if there is one. Its redacted text is not read."""
    keys = [{"place": place, **one.model_dump(mode="json")} for place, one in enumerate(wanted)]
    rows = (await (await session.connection()).execute(_FIND, {"wanted": to_json(keys).decode()})).mappings()
    found = {row["place"]: as_check(row) for row in rows}
    return [found.get(place) for place in range(len(wanted))]
