"""Shapes that cross a border: requests, responses, workflow payloads, enums, names and ids."""
