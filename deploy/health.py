"""What a front door says about itself, and what a log says last."""

import json
import urllib.error
import urllib.request
from pathlib import Path

TIMEOUT_SECONDS = 3.0
DETECTORS = "detectors"
"""A model file is missing or damaged: the others serve, and `./ops status` and `./ops doctor` say which."""


# the machine's own addresses are asked directly, whatever proxy the environment names
_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def ready(base_url: str) -> bool:
    """Postgres, Temporal and a worker are all there. What waiting does not mend is no reason to wait."""
    return all(said == "ok" for part, said in parts(base_url).items() if part != DETECTORS)


def complaint(base_url: str) -> str | None:
    """What a front door lacks, in its own words; None when it lacks nothing."""
    lacking = [f"{part} {said}" for part, said in parts(base_url).items() if said != "ok"]
    return ", ".join(lacking) or None


def parts(base_url: str) -> dict[str, str]:
    """What it says of each part that it needs."""
    try:
        said = json.loads(get(f"{base_url}/health/ready"))["parts"]
        return {str(part): str(state) for part, state in said.items()}
    except OSError:
        return {"front door": "does not answer"}
    except (ValueError, KeyError, TypeError, AttributeError):
        return {"front door": "is not one of ours"}


def get(url: str) -> bytes:
    """The body, whatever the status; OSError when nothing answers."""
    try:
        with _direct.open(url, timeout=TIMEOUT_SECONDS) as answer:
            return bytes(answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return error.read()


def last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines() if log.exists() else []
    return lines[-1][:300] if lines else "it left no word in its log"
