"""What front door and task handlers share of notifications: templates read and rendered, messages accepted."""
