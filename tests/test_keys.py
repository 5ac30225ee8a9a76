"""Keys of different purposes are strangers; what is sealed opens under its own key only, and unchanged."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from core.keys import Seal, Seals, derive, pseudonym

SECRET = SecretStr("a secret of these tests, 32 bytes or more")
KEY, OTHER = derive(SECRET, "one"), derive(SECRET, "other")


def test_a_purpose_has_one_key_and_no_two_share_it() -> None:
    assert derive(SECRET, "one") == KEY != OTHER
    assert len(KEY) == 32


@given(st.binary())
def test_what_was_sealed_comes_back(plain: bytes) -> None:
    assert Seal(KEY).open(Seal(KEY).close(plain)) == plain


@given(st.binary(min_size=8))
def test_the_same_thing_sealed_twice_looks_different_and_tells_nothing(plain: bytes) -> None:
    first, second = Seal(KEY).close(plain), Seal(KEY).close(plain)
    assert first != second
    assert plain not in first


def test_another_key_opens_nothing() -> None:
    with pytest.raises(ValueError, match="another key"):
        Seal(OTHER).open(Seal(KEY).close(b"x"))


@given(st.binary(), st.data())
def test_a_changed_byte_is_noticed(plain: bytes, data: st.DataObject) -> None:
    sealed = bytearray(Seal(KEY).close(plain))
    sealed[data.draw(st.integers(0, len(sealed) - 1))] ^= 1
    with pytest.raises(ValueError, match="changed"):
        Seal(KEY).open(bytes(sealed))


def test_a_part_opens_at_its_own_place_only() -> None:
    seals = Seals(SECRET, "files")
    assert seals.open("file_1/0", seals.close("file_1/0", b"x")) == b"x"
    with pytest.raises(ValueError, match="another key"):
        seals.open("file_1/1", seals.close("file_1/0", b"x"))


def test_a_person_has_one_pseudonym_a_tenant_and_it_tells_nothing() -> None:
    alias = pseudonym(SECRET, "org_1", "user_1")
    assert alias == pseudonym(SECRET, "org_1", "user_1")
    others = [
        pseudonym(SECRET, "org_2", "user_1"),
        pseudonym(SECRET, "org_1", "user_2"),
        pseudonym(SECRET, "org", "_1/user_1"),
    ]
    assert len({alias, *others}) == 4
    assert alias.startswith("erased_")
    assert "user_1" not in alias
