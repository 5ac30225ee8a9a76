"""What the services hold of a person is declared whole: no table is forgotten, none is named twice."""

import importlib
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import SQLModel

from core.db import Database
from core.settings import SERVICES
from core.store.compliance.holdings import HOLDINGS, WITHOUT
from core.store.platform.mentions import Rewriter, in_page, names_people, needle, unmistakable
from core.store.platform.subject import Holding, Subject, export_step

ALL = [holding for holdings in HOLDINGS.values() for holding in holdings]


@pytest.fixture(scope="module")
def tables() -> set[str]:
    """Every table that holds rows of a tenant."""
    for name in ("platform", *SERVICES):
        importlib.import_module(f"core.tables.{name}")
    return {name for name, table in SQLModel.metadata.tables.items() if "tenant_id" in table.c}


def test_every_table_is_handed_out_and_erased_or_says_why_not(tables: set[str]) -> None:
    told = {holding.table for holding in ALL} | set(WITHOUT)
    assert not tables - told, f"declare in core/store/<service>/subject.py: {sorted(tables - told)}"
    assert not told - tables, f"no such tables: {sorted(told - tables)}"


def test_no_table_is_both_held_and_excused() -> None:
    assert not {holding.table for holding in ALL} & set(WITHOUT)


def test_each_kind_has_a_name_of_its_own() -> None:
    assert [kind for kind, times in Counter(holding.kind for holding in ALL).items() if times > 1] == []


@pytest.mark.parametrize("holding", ALL, ids=[holding.kind for holding in ALL])
def test_what_stays_has_its_reason(holding: Holding) -> None:
    assert holding.kept or holding.deed == "deleted"


@pytest.mark.parametrize("holding", ALL, ids=[holding.kind for holding in ALL])
async def test_a_page_of_each_kind_can_be_read_from_its_start_and_on(
    database: Database, tenant: str, holding: Holding
) -> None:
    subject = Subject(
        tenant_id=tenant, user_id="user_ann", alias="erased", request_id="dsr", addresses=("a@b.example",)
    )
    firsts = {"text": "a", "integer": "1", "smallint": "1", "date": "2024-01-01"}
    async with database.begin(tenant) as session:
        for place in ([], [0, [firsts[kind] for kind in holding.key.values()]]):
            assert await export_step(session, [holding], subject, place) is not None


# ---- names inside what is not theirs


@given(
    st.recursive(
        st.text() | st.integers() | st.none() | st.booleans(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_json_without_the_name_stays_as_it_is(value: object) -> None:
    assert Rewriter("user_01m884gsk8ers8", "erased_x", ["ann@example.com"]).of(value) == value


@given(st.text(alphabet="abc _-.,", max_size=20), st.text(alphabet="abc .,", max_size=20))
def test_an_unmistakable_id_goes_wherever_it_stands_alone(before: str, after: str) -> None:
    found = Rewriter("user_7", "erased_x", []).of({"note": f"{before} user_7 {after}", "user_7": ["user_77"]})
    assert found == {"note": f"{before} erased_x {after}", "erased_x": ["user_77"]}


@pytest.mark.parametrize("word", ["ann", "7", "admin", "default"])
def test_an_id_that_may_be_any_word_counts_only_where_people_are_named(word: str) -> None:
    value = {"user_id": word, "checkedBy": word, "status": word, "text": f"{word} went", word: 1}
    found = Rewriter(word, "erased_x", []).of(value)
    assert found == {**value, "user_id": "erased_x", "checkedBy": "erased_x"}


def test_a_page_says_itself_where_it_names_people() -> None:
    page = '<td>ann</td><td><span data-person="ann">ann</span></td><td><span data-person="anna">anna</span></td>'
    found = Rewriter("ann", "erased_x", []).of({"html": page})
    assert found == {"html": page.replace('data-person="ann">ann<', 'data-person="erased_x">erased_x<')}


@pytest.mark.parametrize("name", ["ann", "o'hara", "a&b", "auth0|<o'hara>_7"])
def test_a_name_that_a_page_has_to_escape_goes_like_any_other(name: str) -> None:
    page = f"<td>{in_page(name)}</td>"
    assert Rewriter(name, "erased_x", []).of({"html": page}) == {"html": f"<td>{in_page('erased_x')}</td>"}


def test_an_address_goes_however_it_is_written() -> None:
    found = Rewriter("ann", "erased_x", ["ann@example.com", "+49 170 1"]).of(["To: Ann@Example.com", "call +49 170 1"])
    assert found == ["To: [erased]", "call [erased]"]


@pytest.mark.parametrize(
    ("field", "person"),
    [
        *(("user_id", True), ("userId", True), ("users", True), ("owner", True), ("checked_by", True)),
        *(("by", True), ("told", True)),
        *(("status", False), ("id", False), ("username_hint", False), ("nearby", False), ("untold", False)),
    ],
)
def test_fields_that_name_people_are_told_by_their_names(field: str, person: bool) -> None:
    assert names_people(field) is person


@pytest.mark.parametrize(
    ("user_id", "clear"), [("user_123", True), ("ann@example.com", True), ("ann", False), ("1", False)]
)
def test_what_is_looked_for_is_the_id_or_the_id_as_a_whole_value(user_id: str, clear: bool) -> None:
    assert unmistakable(user_id) is clear
    assert needle(user_id) == (user_id if clear else f'"{user_id}"')
