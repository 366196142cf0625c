"""What any careful backend needs and no business word belongs in: database, outbox, files, HTTP, log."""
