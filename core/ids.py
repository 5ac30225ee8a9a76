"""Prefixed, sortable, unguessable ids: TypeID (typeid spec 0.3) over UUIDv7."""

from typeid import TypeID


def new_id(prefix: str) -> str:
    """A fresh id such as `evt_01m87p…`: sorts by creation time, 74 random bits."""
    return str(TypeID(prefix=prefix))
