"""Tokens for the local stack, signed with the secret it checks them with."""

import os
from collections.abc import Sequence

from core.auth import PERMISSIONS, Scope, mint_token
from core.errors import OpsError
from core.settings import Settings
from deploy.config import Stack
from deploy.errors import OpsCliError


def mint(stack: Stack, *, user: str, scope: str, tenant: str, permissions: Sequence[str] | None = None) -> str:
    if scope not in list(Scope):
        raise OpsCliError(f"There is no scope {scope!r}.", f"Choose one of {', '.join(Scope)}.")
    unknown = sorted(set(permissions or ()) - PERMISSIONS)
    if unknown:
        raise OpsCliError(f"Unknown permission: {', '.join(unknown)}", f"There are {', '.join(sorted(PERMISSIONS))}.")
    # settings come from the environment, and the secret lies in our state
    os.environ.update(stack.environment)
    try:
        return mint_token(Settings(), user=user, scope=Scope(scope), tenant=tenant, permissions=permissions)
    except OpsError as error:
        raise OpsCliError(str(error), "Ask your issuer for a token.") from error
