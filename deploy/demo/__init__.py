"""`./ops demo`: the platform's story, told with the SDK against the running stack."""

import asyncio
import queue
import secrets

from isa_user import IsaError

from deploy import health
from deploy.config import SERVICES, Stack
from deploy.demo import story
from deploy.demo.tell import Teller
from deploy.errors import OpsCliError
from deploy.tokens import mint


def main(stack: Stack) -> None:
    """Tell it all; each run uses people and names of its own, so it can be told again."""
    lacking = {service: said for service in SERVICES if (said := health.complaint(stack.probe_url(service)))}
    if lacking:
        service, said = next(iter(lacking.items()))
        raise OpsCliError(f"The stack is not ready: {service}: {said}.", "./ops up --detach, then ./ops demo.")
    mark = secrets.token_hex(4)
    scene = story.Scene(
        urls={service: stack.probe_url(service) for service in SERVICES},
        token=mint(stack, user=f"user_{mark}", scope="admin", tenant="default"),
        worker_token=mint(stack, user=f"worker_{mark}", scope="service", tenant="default"),
        temporal=stack.temporal_address,
        namespace=stack.environment.get("TEMPORAL_NAMESPACE", "default"),
        api_key=stack.environment.get("TEMPORAL_API_KEY"),
        mark=mark,
        mailbox=stack.own_mailbox,
    )
    try:
        asyncio.run(story.tell(scene, Teller(stack)))
    except (IsaError, TimeoutError, queue.Empty) as error:
        said = str(error) or f"nothing came within {story.WITHIN_SECONDS:g} s"
        raise OpsCliError(
            f"The story breaks off here: {said}", "./ops logs api, ./ops logs workers, or ./ops doctor tell more."
        ) from error
