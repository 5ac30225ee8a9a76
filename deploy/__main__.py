"""`python -m deploy`: the command line."""

import sys

from deploy.cli import app
from deploy.console import complain
from deploy.errors import OpsCliError


def main() -> int:
    try:
        app(prog_name="./ops")
    except OpsCliError as error:
        complain(error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
