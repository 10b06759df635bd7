"""What the service answers, one noun a file, each with ``router(service) -> APIRouter``."""
