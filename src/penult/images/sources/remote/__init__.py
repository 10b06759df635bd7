"""Images at addresses."""
