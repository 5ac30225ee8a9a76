"""What front door and worker of the compliance service share beyond rules and queries."""
