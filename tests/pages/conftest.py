"""Every page test gets a server's caches of its own."""

from tests.pages.pages import fresh_store

__all__ = ["fresh_store"]
