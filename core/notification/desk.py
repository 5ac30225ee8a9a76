"""The notification service's desk for other services: a message accepted in their own transaction."""

from sqlmodel.ext.asyncio.session import AsyncSession

from core.contracts.notification import Send
from core.notification.accept import Sender, accept


class Desk:
    """Implements `core.ports.NotificationDesk`."""

    async def accept(
        self,
        session: AsyncSession,
        wanted: Send,
        *,
        notification_id: str,
        tenant_id: str,
        requested_by: str,
        correlation_id: str,
    ) -> None:
        """Write it; whoever asked starts it."""
        sender = Sender(tenant_id, requested_by, correlation_id)
        await accept(session, sender, wanted, notification_id=notification_id)
