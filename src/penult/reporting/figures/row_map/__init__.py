"""Row maps as pictures: dots or photos, the names of groups where they are, and what to know."""
