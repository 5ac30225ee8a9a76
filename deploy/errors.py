"""The one error of the command line: a sentence a person can act on."""


class OpsCliError(Exception):
    """Expected trouble. The message says what is wrong, `way_out` what to do about it."""

    def __init__(self, message: str, way_out: str) -> None:
        super().__init__(message)
        self.message = message
        self.way_out = way_out
