"""Typed answers and typed batch items, a module for each service."""
