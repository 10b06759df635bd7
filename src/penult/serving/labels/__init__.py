"""Labels as people correct them, in a log on the disk; nothing here knows HTTP."""
