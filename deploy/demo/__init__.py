"""`./ops demo`: the platform's story, told with the SDK against the running stack."""

import asyncio
import os
import secrets

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
        temporal_address=stack.temporal_address,
        temporal_namespace=stack.environment.get("TEMPORAL_NAMESPACE", "default"),
        mark=mark,
        mailbox=stack.own_mailbox,
    )
    # the SDK's worker reads its Temporal credentials from the environment, as it would at a customer's
    os.environ.update(stack.environment)
    asyncio.run(story.tell(scene, Teller(stack)))
