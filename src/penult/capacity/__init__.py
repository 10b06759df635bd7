"""How long a large extraction takes, and what it needs, from rates that are measured here."""
