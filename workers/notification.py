"""The notification service's crew: the queue `notification`, and a provider for each channel that has settings."""

from activities.notification import BatchActivities, Machine, SendActivities
from core.contracts.notification import QUEUE, Channel
from core.ports import MessageChannel
from core.settings import Settings
from workers.event import deliveries
from workers.runtime import Crew, Deps
from workflows.notification import NotificationBatch, NotificationSend
from workflows.options import LONGEST_RETRY_AFTER


def crew(deps: Deps) -> Crew:
    """Workflows and activities of notifications."""
    longest = LONGEST_RETRY_AFTER.total_seconds()
    machine = Machine(deps.database, channels(deps), deliveries(deps))
    sends = SendActivities(deps.database, machine, longest_retry_after=longest)
    batches = BatchActivities(deps.database, machine, deps.keeper, longest_retry_after=longest)
    return Crew(
        queue=QUEUE,
        workflows=[NotificationSend, NotificationBatch],
        activities=[sends.deliver, sends.conclude, sends.cancel, batches.chunk, batches.finish],
    )


def channels(deps: Deps) -> dict[Channel, MessageChannel]:
    """The channels that have a provider. A vendor's SDK is loaded only here, and only where it is configured: the
    three together would double the memory of an idle worker."""
    settings, found = deps.settings, dict[Channel, MessageChannel]()
    if mail := _mail(deps):
        found[Channel.EMAIL] = mail
    if settings.twilio_account_sid and settings.twilio_auth_token and settings.twilio_from:
        from core.adapters.twilio import Twilio

        found[Channel.SMS] = Twilio(
            settings.twilio_account_sid,
            settings.twilio_auth_token,
            sender=settings.twilio_from,
            base_url=settings.twilio_base_url,
        )
    if settings.firebase_credentials:
        from core.adapters.firebase import Firebase

        push = Firebase(settings.firebase_credentials, base_url=settings.firebase_base_url)
        deps.stack.push_async_callback(push.close)
        found[Channel.PUSH] = push
    return found


def _mail(deps: Deps) -> MessageChannel | None:
    """SendGrid where it is configured, else a mail server."""
    settings: Settings = deps.settings
    if settings.sendgrid_api_key:
        from core.adapters.sendgrid import SendGrid

        return SendGrid(settings.sendgrid_api_key, sender=settings.mail_from, base_url=settings.sendgrid_base_url)
    if not settings.smtp_host:
        return None
    from core.adapters.smtp import Login, Smtp

    login = Login(settings.smtp_username, settings.smtp_password) if settings.smtp_username else None
    smtp = Smtp(
        settings.smtp_host,
        settings.smtp_port,
        sender=settings.mail_from,
        starttls=settings.smtp_starttls,
        login=login,
    )
    deps.stack.push_async_callback(smtp.close)
    return smtp
