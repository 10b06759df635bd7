"""The index file: named arrays that can be mapped into memory, and a description of them."""
