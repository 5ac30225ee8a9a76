"""Heavy libraries asked in a short-lived process: their memory goes when the answer is there."""

import asyncio
import contextlib
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
SECONDS = 60.0
ERROR_CHARACTERS = 2000


class AsideFailed(RuntimeError):
    """The process failed; the message is the end of what it said."""


async def ask(module: str, given: bytes) -> bytes:
    """What `python -m module` writes when it reads `given`. AsideFailed if it fails, TimeoutError after a minute."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", module),
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        out, errors = await asyncio.wait_for(process.communicate(given), SECONDS)
    finally:
        with contextlib.suppress(ProcessLookupError):  # it has ended, as it should
            process.kill()
    if process.returncode:
        raise AsideFailed(errors.decode(errors="replace")[-ERROR_CHARACTERS:])
    return out
