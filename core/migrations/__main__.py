"""`python -m core.migrations`: upgrade DATABASE_URL to head."""

import os
import sys

from core.migrations import upgrade

if __name__ == "__main__":
    if not os.environ.get("DATABASE_URL"):
        sys.exit("Set DATABASE_URL to the database to migrate, such as postgresql://user@host/ops")
    upgrade(os.environ["DATABASE_URL"])
