"""The parts of the local stack: Postgres, Temporal, the mailbox and the time-skipping test server."""
