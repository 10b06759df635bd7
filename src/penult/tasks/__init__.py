"""What a command does, as a function: the parts below put together, one task a file.

The function has the name, the parameters and the defaults of its command, and returns what the
command prints. Tasks that are one part alone (`extract`, `plan`, `verify`, `export`, `quantize`,
`report`) are where that part is.
"""
