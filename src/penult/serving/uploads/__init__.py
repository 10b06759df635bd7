"""Photos as they come with a request."""
