"""One page of a list, and the way on."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Generic, TypeVar

from isa_user._models.base import Result

Item = TypeVar("Item", bound=Result)


class Page(Generic[Item]):
    """`items`, and `next_cursor`: None on the last page, else what `cursor=` takes to continue, in another process too.

    `async for item in page` goes on through all later pages.
    """

    def __init__(
        self,
        items: list[Item],
        next_cursor: str | None,
        load: "Callable[[str], Awaitable[Page[Item]]]",
    ) -> None:
        self.items = items
        self.next_cursor = next_cursor
        self._load = load

    def __repr__(self) -> str:
        return f"Page({len(self.items)} items, next_cursor={self.next_cursor!r})"

    async def next_page(self) -> "Page[Item] | None":
        """The page after this one, or None on the last."""
        return await self._load(self.next_cursor) if self.next_cursor else None

    async def pages(self) -> "AsyncIterator[Page[Item]]":
        """This page and all after it."""
        page: Page[Item] | None = self
        while page is not None:
            yield page
            page = await page.next_page()

    async def __aiter__(self) -> AsyncIterator[Item]:
        async for page in self.pages():
            for item in page.items:
                yield item
