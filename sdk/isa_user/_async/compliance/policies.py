"""What findings lead to."""

from typing import Unpack

from isa_user._async._io import Paged
from isa_user._async.base import BaseClient, ReadOptions
from isa_user._async.compliance.checks import ROOT
from isa_user._models.compliance import Policy
from isa_user._request import Request, path


class Policies(BaseClient):
    """The policies that checks are judged by."""

    def list_policies(self, **options: Unpack[ReadOptions]) -> Paged[Policy]:
        """The policies that a check may name."""
        return self._pages(Request(method="GET", path=f"{ROOT}/policies"), Policy, options)

    async def get_policy(self, name: str, **options: Unpack[ReadOptions]) -> Policy:
        """One policy with its rules."""
        return await self._call(Request(method="GET", path=path(ROOT + "/policies/{}", name)), Policy, options)
