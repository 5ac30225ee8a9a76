"""The SDK's version, as it stands in pyproject.toml and in the User-Agent."""

__version__ = "0.1.0"
