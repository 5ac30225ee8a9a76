"""Keys derived from OPS_SECRET_KEY, one for each purpose, and what is kept sealed under them."""

import base64
import hashlib
import hmac
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import SecretStr

NONCE_BYTES = 12


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
