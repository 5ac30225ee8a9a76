"""What the services hold of a person is declared whole: no table is forgotten, none is named twice."""

import importlib
from collections import Counter

import pytest
from sqlmodel import SQLModel

from core.settings import SERVICES
from core.store.compliance.holdings import HOLDINGS, WITHOUT

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
def test_what_stays_has_its_reason(holding: object) -> None:
    assert getattr(holding, "kept") or getattr(holding, "deed") == "deleted"
