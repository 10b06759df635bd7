"""What the pages of penult share: layout and colours, escaping, small pictures, sections."""
