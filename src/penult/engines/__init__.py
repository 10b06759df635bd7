"""An engine runs a truncated backbone over decoded images."""
