"""Queries. Every function takes a session and none commits: the edge that opened the transaction does."""
