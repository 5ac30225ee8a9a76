"""Queries of the notification service: templates, recipients, messages, tries, batches, the in-app centre."""
