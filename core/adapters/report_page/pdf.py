"""A sheet as a PDF by Typst, in a short-lived process: the typesetter takes memory that should not stay."""

import sys
from collections.abc import Sequence
from pathlib import Path

from pydantic import TypeAdapter

from core.adapters.report_page.sheet import Sheet, Table
from core.contracts.platform import Answer

MODULE = "core.adapters.report_page.pdf"
TEMPLATE = Path(__file__).parent / "compliance.typ"


class Drawing(Answer):
    """A chart as SVG."""

    title: str
    svg: str


class Packed(Answer):
    """What the template reads. It shows strings as they are: none of them is read as markup."""

    title: str
    subtitle: str
    facts: list[tuple[str, str]]
    remark: str
    drawings: list[Drawing]
    tables: list[Table]
    numeric: list[list[bool]]


_PACKED = TypeAdapter(Packed)


def packed(sheet: Sheet, drawings: Sequence[str]) -> bytes:
    """The sheet and its charts, for the process that sets them."""
    return _PACKED.dump_json(
        Packed(
            title=sheet.title,
            subtitle=f"{sheet.subtitle} · requested by {sheet.requested_by} · {sheet.report_id}",
            facts=[(name, str(value)) for name, value in sheet.facts],
            remark=sheet.remark,
            drawings=[Drawing(title=titled.title, svg=svg) for titled, svg in zip(sheet.charts, drawings, strict=True)],
            tables=sheet.tables,
            numeric=[[table.numeric(column) for column in range(len(table.columns))] for table in sheet.tables],
        )
    )


def set_in_type(data: bytes) -> bytes:
    """The PDF. Only the fonts that Typst brings are used, so that every machine sets the same page."""
    import typst  # in this short-lived process only: it brings a typesetter and its fonts

    made: bytes = typst.compile(
        TEMPLATE.read_bytes(), format="pdf", sys_inputs={"sheet": data.decode()}, ignore_system_fonts=True
    )
    return made


if __name__ == "__main__":
    sys.stdout.buffer.write(set_in_type(_PACKED.dump_json(_PACKED.validate_json(sys.stdin.buffer.read()))))
