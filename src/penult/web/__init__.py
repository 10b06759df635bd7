"""What the pages of penult share: layout, colours, escaping, small pictures, sections, maps."""
