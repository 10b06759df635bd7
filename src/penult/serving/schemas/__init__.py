"""Requests and answers as the OpenAPI description has them."""
