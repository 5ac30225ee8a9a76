"""Temporal's servers by the SDK's own download, in a process of its own so that it can be given a time limit.

`python -m deploy.local.download server|test-server VERSION FOLDER` fetches one and ends; the file lies in FOLDER then.
"""

import asyncio
import os
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

HOST = "temporal.download"
REACHABLE_SECONDS = 5.0
DOWNLOAD_SECONDS = 600.0


def fetch(kind: str, version: str, folder: Path) -> Path | None:
    """The downloaded executable; None where the download is blocked or fails."""
    if not _reachable():
        return None
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "deploy.local.download", kind, version, str(folder)]
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=DOWNLOAD_SECONDS)
    except subprocess.SubprocessError:
        return None
    found = sorted(path for path in folder.iterdir() if path.is_file() and os.access(path, os.X_OK))
    return found[-1] if found else None


def _reachable() -> bool:
    if "https" in urllib.request.getproxies():
        return True
    try:
        with socket.create_connection((HOST, 443), timeout=REACHABLE_SECONDS):
            return True
    except OSError:
        return False


async def _download(kind: str, version: str, folder: str) -> None:
    # the SDK costs half a second to load: only the process that downloads pays for it
    from temporalio.testing import WorkflowEnvironment

    if kind == "server":
        environment = await WorkflowEnvironment.start_local(
            download_dest_dir=folder, dev_server_download_version=version
        )
    else:
        environment = await WorkflowEnvironment.start_time_skipping(
            download_dest_dir=folder, test_server_download_version=version
        )
    await environment.shutdown()


if __name__ == "__main__":
    asyncio.run(_download(*sys.argv[1:4]))
