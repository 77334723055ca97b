"""Fixtures that all tests may use."""

from tests.services import empty_pg_url, mqtt_url, pg_url

__all__ = ["empty_pg_url", "mqtt_url", "pg_url"]
