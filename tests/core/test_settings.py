"""Settings from the environment and from files."""

from pathlib import Path

import pytest

from mes.core.errors import ConfigError
from mes.core.settings import read_settings


def test_defaults_are_a_local_sqlite_plant() -> None:
    settings = read_settings({})
    assert settings.database_url == "sqlite:///data/mes.db"
    assert settings.telemetry_url == "sqlite:///data/telemetry.db"
    assert settings.url == "http://127.0.0.1:8080"
    assert (settings.plant / "plant.yaml").exists()


def test_a_secret_can_come_from_a_file(tmp_path: Path) -> None:
    secret = tmp_path / "url"
    secret.write_text("postgresql://mes:pw@db/mes\n")
    settings = read_settings({"MES_DATABASE_URL_FILE": str(secret)})
    assert settings.database_url == "postgresql://mes:pw@db/mes"
    assert settings.telemetry_url == settings.database_url


def test_all_faults_are_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        read_settings({"MES_HTTP_PORT": "many", "MES_MQTT_URL_FILE": str(tmp_path / "gone")})
    assert {fault.path for fault in caught.value.faults} == {"MES_HTTP_PORT", "MES_MQTT_URL_FILE"}
