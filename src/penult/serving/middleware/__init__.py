"""What each request passes before it reaches a route, one middleware a file."""
