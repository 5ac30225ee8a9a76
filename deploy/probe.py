"""`python -m deploy.probe URL`: exit code 0 when it answers well. Health checks in images without curl use it."""

import sys
import urllib.request

TIMEOUT_SECONDS = 3.0


def well(url: str) -> bool:
    """Whether the answer is a success (2xx)."""
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_SECONDS) as answer:
            return bool(200 <= answer.status < 300)
    except OSError:
        return False


if __name__ == "__main__":
    sys.exit(0 if well(sys.argv[1]) else 1)
