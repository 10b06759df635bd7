"""The interactive map that a browser draws: rows as points, with their pictures."""
