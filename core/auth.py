"""Who calls: JSON Web Tokens (RFC 7519) verified, and what a scope may do."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import jwt

from core.errors import Unauthenticated, Unavailable
from core.settings import SERVICES, Settings

CLOCK_LEEWAY_SECONDS = 10
CACHED_TOKENS, CACHE_SECONDS = 1024, 60
TOKEN_LIFETIME_SECONDS = 7 * 24 * 3600


class Scope(StrEnum):
    """Whose rows a token reaches: a user's own, or the tenant's."""

    USER = "user"
    SERVICE = "service"
    ADMIN = "admin"


_ORDINARY = frozenset(f"{service}:{verb}" for service in SERVICES for verb in ("read", "write"))
_MANAGING = frozenset(f"{service}:manage" for service in SERVICES)
_REVIEWING = frozenset({"compliance:review"})
_ADMINISTERING = frozenset(f"{service}:admin" for service in SERVICES)
DEFAULT_PERMISSIONS: dict[Scope, frozenset[str]] = {
    Scope.USER: _ORDINARY,
    Scope.SERVICE: _ORDINARY | _MANAGING | _REVIEWING,
    Scope.ADMIN: _ORDINARY | _MANAGING | _REVIEWING | _ADMINISTERING,
}
PERMISSIONS = DEFAULT_PERMISSIONS[Scope.ADMIN]


@dataclass(frozen=True, slots=True)
class Caller:
    """A verified token's bearer."""

    user_id: str
    tenant_id: str
    scope: Scope
    permissions: frozenset[str]

    @property
    def tenant_wide(self) -> bool:
        """Whether this caller acts for the whole tenant."""
        return self.scope is not Scope.USER

    @property
    def own_only(self) -> str | None:
        """The user id that this caller's reads are limited to, or None for the whole tenant."""
        return None if self.tenant_wide else self.user_id


class Verifier:
    """Checks signature, algorithm, lifetime, issuer and audience. The algorithm is ours to say, never the token's."""

    def __init__(self, settings: Settings) -> None:
        self._algorithm, self._issuer, self._audience = (
            settings.jwt_algorithm,
            settings.jwt_issuer,
            settings.jwt_audience,
        )
        self._secret = settings.jwt_secret.get_secret_value() if settings.jwt_secret else None
        self._jwks = jwt.PyJWKClient(settings.jwks_url, cache_keys=True, lifespan=300) if settings.jwks_url else None
        self._cache: OrderedDict[str, tuple[float, Caller]] = OrderedDict()

    async def verify(self, token: str) -> Caller:
        """The bearer; Unauthenticated if the token proves nothing."""
        known = self._cache.get(token)
        if known and known[0] > time.time():
            return known[1]
        claims = await self._claims(token)
        caller = _caller(claims)
        self._cache[token] = (min(float(claims["exp"]), time.time() + CACHE_SECONDS), caller)
        if len(self._cache) > CACHED_TOKENS:
            self._cache.popitem(last=False)
        return caller

    async def _claims(self, token: str) -> dict[str, Any]:
        key = await self._key(token)
        try:
            return jwt.decode(
                token,
                key,
                algorithms=[self._algorithm],
                audience=self._audience,
                issuer=self._issuer,
                leeway=CLOCK_LEEWAY_SECONDS,
                options={"require": ["exp", "iss", "aud", "sub"]},
            )
        except jwt.ExpiredSignatureError as error:
            raise Unauthenticated("The token has expired: ask for a new one.", code="token_expired") from error
        except (jwt.InvalidTokenError, jwt.InvalidKeyError, ValueError) as error:
            raise Unauthenticated(f"The token was refused: {error}.") from error

    async def _key(self, token: str) -> Any:
        if self._algorithm == "HS256":
            if not self._secret:
                raise Unavailable("No key to check tokens with: set OPS_JWT_SECRET, or OPS_JWKS_URL and its algorithm.")
            return self._secret
        if self._jwks is None:
            raise Unavailable("No key to check tokens with: set OPS_JWKS_URL.")
        try:
            return (await asyncio.to_thread(self._jwks.get_signing_key_from_jwt, token)).key
        except jwt.PyJWKClientConnectionError as error:
            raise Unavailable("The key set cannot be reached right now.", retry_after=5) from error
        except (jwt.PyJWKClientError, jwt.InvalidTokenError) as error:
            raise Unauthenticated("No key in the key set signed this token.") from error


def _caller(claims: dict[str, Any]) -> Caller:
    subject, tenant, scope = claims.get("sub"), claims.get("organization_id"), claims.get("scope", "user")
    if not _word(subject) or not _word(tenant):
        raise Unauthenticated("The token needs the claims sub and organization_id.")
    if scope not in list(Scope):
        raise Unauthenticated("The token's scope must be user, service or admin.")
    granted = claims.get("permissions")
    if granted is not None and not (isinstance(granted, list) and all(isinstance(p, str) for p in granted)):
        raise Unauthenticated("The token's permissions must be a list of words such as audit:read.")
    permissions = DEFAULT_PERMISSIONS[Scope(scope)] if granted is None else frozenset(granted)
    return Caller(str(subject), str(tenant), Scope(scope), permissions)


def _word(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 200 and value.isprintable()


def mint_token(
    settings: Settings,
    *,
    user: str,
    scope: Scope,
    tenant: str,
    permissions: Sequence[str] | None = None,
    lifetime_seconds: int = TOKEN_LIFETIME_SECONDS,
) -> str:
    """Sign a token with the shared secret, for local use and tests. Real installations have an issuer."""
    if settings.jwt_secret is None or settings.jwt_algorithm != "HS256":
        raise Unavailable("Tokens are minted here only with a shared secret: set OPS_JWT_SECRET.")
    now = int(time.time())
    claims: dict[str, Any] = {
        "sub": user,
        "organization_id": tenant,
        "scope": scope.value,
        "iss": settings.jwt_issuer,
        "aud": settings.jwt_audience,
        "iat": now,
        "exp": now + lifetime_seconds,
    }
    if permissions is not None:
        claims["permissions"] = list(permissions)
    return jwt.encode(claims, settings.jwt_secret.get_secret_value(), algorithm="HS256")
