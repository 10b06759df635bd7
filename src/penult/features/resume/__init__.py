"""What an unfinished run keeps, and how it goes on."""
