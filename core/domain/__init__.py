"""Pure rules: standard library and contracts only, so they run inside workflows and property tests."""
