"""Only a token that proves something opens a door, and only as far as its permissions reach."""

import base64
import json
import time
from collections.abc import AsyncIterator, Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from api.__main__ import door
from api.app import create_app
from core.auth import Verifier
from core.errors import Unauthenticated
from core.settings import SERVICES, Settings
from tests.conftest import Doors, Headers

LISTS = {
    "audit": "/api/v1/audit/security/alerts",
    "notification": "/api/v1/notifications",
    "task": "/api/v1/tasks",
    "compliance": "/api/v1/compliance/checks",
    "event": "/api/v1/events",
}


def _claims(settings: Settings, **changed: Any) -> dict[str, Any]:
    claims = {
        "sub": "user_123",
        "organization_id": "default",
        "scope": "admin",
        "iss": settings.jwt_issuer,
        "aud": settings.jwt_audience,
        "exp": time.time() + 60,
    } | changed
    return {name: value for name, value in claims.items() if value is not None}


def _secret(settings: Settings) -> str:
    assert settings.jwt_secret
    return settings.jwt_secret.get_secret_value()


def _unsigned(claims: dict[str, Any]) -> str:
    parts = ({"alg": "none", "typ": "JWT"}, claims)
    return ".".join(base64.urlsafe_b64encode(json.dumps(p).encode()).decode().rstrip("=") for p in parts) + "."


@pytest.mark.parametrize(
    "changed",
    [
        {"exp": time.time() - 3600},
        {"exp": None},
        {"aud": "somebody-else"},
        {"aud": None},
        {"iss": "somebody-else"},
        {"iss": None},
        {"sub": None},
        {"organization_id": None},
        {"organization_id": ""},
        {"scope": "root"},
        {"permissions": "audit:read"},
    ],
    ids=lambda changed: "-".join(f"{name} {type(value).__name__}" for name, value in changed.items()),
)
async def test_wrong_claims_prove_nothing(settings: Settings, changed: dict[str, Any]) -> None:
    token = jwt.encode(_claims(settings, **changed), _secret(settings), algorithm="HS256")
    with pytest.raises(Unauthenticated):
        await Verifier(settings).verify(token)


async def test_an_unsigned_token_proves_nothing(settings: Settings) -> None:
    with pytest.raises(Unauthenticated):
        await Verifier(settings).verify(_unsigned(_claims(settings)))


async def test_a_wrong_key_proves_nothing(settings: Settings) -> None:
    token = jwt.encode(_claims(settings), "some other secret that is long enough", algorithm="HS256")
    with pytest.raises(Unauthenticated):
        await Verifier(settings).verify(token)


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "\x00", "é" * 40, "e30.e30.e30"])
async def test_what_is_no_token_proves_nothing(settings: Settings, token: str) -> None:
    with pytest.raises(Unauthenticated):
        await Verifier(settings).verify(token)


class _KeySet:
    """A JWKS endpoint on loopback with one RSA and one EC key."""

    def __init__(self) -> None:
        self.rsa = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.ec = ec.generate_private_key(ec.SECP256R1())
        self.asked = 0
        keys = [
            json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.rsa.public_key())) | {"kid": "rsa", "use": "sig"},
            json.loads(jwt.algorithms.ECAlgorithm.to_jwk(self.ec.public_key())) | {"kid": "ec", "use": "sig"},
        ]
        body, counter = json.dumps({"keys": keys}).encode(), self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                counter.asked += 1
                self.send_response(200)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        Thread(target=self.server.serve_forever, daemon=True).start()

    def settings(self, algorithm: str) -> Settings:
        port = self.server.server_address[1]
        return Settings.model_validate(
            {
                "jwt_algorithm": algorithm,
                "jwks_url": f"http://127.0.0.1:{port}/",
                "secret_key": "a secret key for these tests, long enough",
            }
        )

    def public_pem(self) -> bytes:
        return self.rsa.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )


@pytest.fixture
async def key_set() -> AsyncIterator[_KeySet]:
    made = _KeySet()
    yield made
    made.server.shutdown()


async def test_a_key_set_verifies_rs256_and_is_asked_once(key_set: _KeySet) -> None:
    settings = key_set.settings("RS256")
    verifier = Verifier(settings)
    for user in ("user_1", "user_2"):
        token = jwt.encode(_claims(settings, sub=user), key_set.rsa, algorithm="RS256", headers={"kid": "rsa"})
        assert (await verifier.verify(token)).user_id == user
    assert key_set.asked == 1


async def test_a_key_set_verifies_es256(key_set: _KeySet) -> None:
    settings = key_set.settings("ES256")
    token = jwt.encode(_claims(settings), key_set.ec, algorithm="ES256", headers={"kid": "ec"})
    assert (await Verifier(settings).verify(token)).tenant_id == "default"


async def test_a_public_key_used_as_a_shared_secret_proves_nothing(key_set: _KeySet) -> None:
    settings = key_set.settings("RS256")
    header = base64.urlsafe_b64encode(json.dumps({"alg": "HS256", "typ": "JWT", "kid": "rsa"}).encode()).rstrip(b"=")
    body = base64.urlsafe_b64encode(json.dumps(_claims(settings)).encode()).rstrip(b"=")
    signer = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256)
    signature = base64.urlsafe_b64encode(signer.sign(header + b"." + body, key_set.public_pem())).rstrip(b"=")
    token = b".".join((header, body, signature)).decode()
    with pytest.raises(Unauthenticated):
        await Verifier(settings).verify(token)


async def test_an_unknown_key_id_proves_nothing(key_set: _KeySet) -> None:
    settings = key_set.settings("RS256")
    token = jwt.encode(_claims(settings), key_set.rsa, algorithm="RS256", headers={"kid": "other"})
    with pytest.raises(Unauthenticated):
        await Verifier(settings).verify(token)


@pytest.mark.parametrize("service", SERVICES)
async def test_a_door_without_token_answers_401(doors: Doors, service: Any) -> None:
    async with await doors.client(service, {}) as client:
        answer = await client.get(LISTS[service])
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.json()["code"] == "unauthenticated"


@pytest.mark.parametrize("service", SERVICES)
async def test_a_token_without_the_permission_is_refused(
    doors: Doors, headers: Callable[..., Headers], service: Any
) -> None:
    async with await doors.client(service, headers(scope="service", permissions=["nothing:read"])) as client:
        answer = await client.get(LISTS[service])
    assert answer.status_code == 403
    assert answer.json()["code"] == "permission_missing"


async def test_health_needs_no_token(doors: Doors) -> None:
    async with await doors.client("audit", {}) as client:
        answers = [(await client.get(path)).status_code for path in ("/health/live", "/health/ready", "/openapi.json")]
    assert answers == [200, 200, 200]


async def test_a_rate_limit_says_when_to_come_back(settings: Settings, headers: Callable[..., Headers]) -> None:
    app = create_app(door("event"), settings.model_copy(update={"rate_limit_per_minute": 2}))
    async with app.router.lifespan_context(app):
        client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://event", headers=headers())
        answers = [await client.get("/api/v1/events") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert int(answers[2].headers["retry-after"]) >= 1
