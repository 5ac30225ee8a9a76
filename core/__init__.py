"""What all processes share: contracts, rules, tables, queries, adapters. Knows none of the processes."""
