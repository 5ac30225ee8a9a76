"""Keys derived from OPS_SECRET_KEY, one for each purpose, and what is kept sealed under them."""

import base64
import hashlib
import hmac
import os
from functools import cached_property

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, AESSIV
from pydantic import SecretStr

NONCE_BYTES = 12
DIGEST_CHARACTERS = 12
"""Of 4 bits each: two of a million values of one tenant are alike with a chance of one in five hundred."""


def derive(secret: SecretStr, purpose: str) -> bytes:
    """32 bytes for one purpose (HMAC-SHA256 as the pseudo-random function); no key tells anything of another."""
    return hmac.digest(secret.get_secret_value().encode(), f"isa-operations/{purpose}".encode(), hashlib.sha256)


def webhook_secret(secret: SecretStr, tenant_id: str) -> str:
    """What signs the webhooks of a tenant's notifications (Standard Webhooks): derived, so it is stored nowhere."""
    return "whsec_" + base64.b64encode(derive(secret, f"webhook/{tenant_id}")).decode()


class Seal:
    """Authenticated encryption (AES-256-GCM) under one key of 32 bytes."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def close(self, plain: bytes) -> bytes:
        """The sealed bytes; sealing the same twice gives different ones."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, plain, None)

    def open(self, sealed: bytes) -> bytes:
        """What was sealed; ValueError if it was changed, or sealed under another key."""
        try:
            return self._cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], None)
        except InvalidTag as error:
            raise ValueError("sealed under another key, or changed since") from error


class RedactionKeys:
    """What one tenant's personal data is hashed and pseudonymised under.

    Pseudonyms are AES-SIV (RFC 5297): the same value gives the same token, which is authenticated and tells nothing
    but that two values are equal. The kind of data is bound in: a token cannot pass for one of another kind.
    """

    def __init__(self, secret: SecretStr, tenant_id: str) -> None:
        self._secret, self._purpose = secret, f"redaction/{tenant_id}"

    # Derived when first needed: most policies redact by kind.
    @cached_property
    def _digest_key(self) -> bytes:
        return derive(self._secret, f"{self._purpose}/digest")

    @cached_property
    def _cipher(self) -> AESSIV:
        return AESSIV(derive(self._secret, f"{self._purpose}/mac") + derive(self._secret, f"{self._purpose}/cipher"))

    def digest(self, entity: str, value: str) -> str:
        """12 hexadecimal characters of HMAC-SHA256 over kind and value."""
        message = f"{entity}\x00{value}".encode(errors="surrogatepass")
        return hmac.new(self._digest_key, message, hashlib.sha256).hexdigest()[:DIGEST_CHARACTERS]

    def pseudonym(self, entity: str, value: str) -> str:
        """`EMAIL_<base32>` of the value's bytes and 16 more."""
        sealed = self._cipher.encrypt(value.encode(errors="surrogatepass"), [entity.encode()])
        return f"{entity.upper()}_{base64.b32encode(sealed).decode().rstrip('=')}"

    def reveal(self, token: str) -> str:
        """The value that a pseudonym stands for; ValueError if it was changed, or made for another tenant."""
        entity, _, sealed = token.rpartition("_")
        try:
            raw = base64.b32decode(sealed + "=" * (-len(sealed) % 8))
            return self._cipher.decrypt(raw, [entity.lower().encode()]).decode(errors="surrogatepass")
        except (InvalidTag, ValueError) as error:
            raise ValueError("no pseudonym of this tenant, or changed since") from error


class Seals:
    """A seal of its own for each place (a part of a file, say), so that no part passes for another."""

    def __init__(self, secret: SecretStr, purpose: str) -> None:
        self._secret, self._purpose = secret, purpose

    def close(self, place: str, plain: bytes) -> bytes:
        """The sealed bytes."""
        return self._at(place).close(plain)

    def open(self, place: str, sealed: bytes) -> bytes:
        """What was sealed for this place; ValueError if it was changed or belongs elsewhere."""
        return self._at(place).open(sealed)

    def _at(self, place: str) -> Seal:
        return Seal(derive(self._secret, f"{self._purpose}/{place}"))


def pseudonym(secret: SecretStr, tenant_id: str, user_id: str) -> str:
    """What stands for an erased person: always the same for one user of one tenant; without the key it tells nobody."""
    # a token's tenant is printable, so no two pairs of ids read the same
    digest = derive(secret, f"pseudonym/{tenant_id}\n{user_id}")
    return "erased_" + base64.b32encode(digest[:15]).decode().lower()
