"""The page at `/`: its files, and the map that it draws."""
