"""What the surroundings decide: database, broker, plant folder, data folder and address, from the environment or from files."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from mes.core.errors import ConfigError, Fault

DEFAULT_PORT = 8080


@dataclass(frozen=True)
class Settings:
    """`database_url` and `telemetry_url` are SQLAlchemy URLs, `mqtt_url` "" means no broker, `public_url` is the base of printed codes."""

    plant: Path
    data: Path
    database_url: str
    telemetry_url: str
    mqtt_url: str
    http_host: str
    http_port: int
    public_url: str

    @property
    def certificate(self) -> Path:
        """Where the server certificate lies when there is one; its key is server.key beside it."""
        return _certificate(self.data)

    @property
    def url(self) -> str:
        return _base(self.data, self.http_host, self.http_port)


def demo_plant() -> Path:
    """The demo plant that ships with the product."""
    return Path(str(files("config") / "plants" / "demo"))


def read_settings(env: Mapping[str, str] | None = None, *, data: Path | None = None) -> Settings:
    """Each `MES_X` may also be read from the file that `MES_X_FILE` names. Raises ConfigError with all faults."""
    source = os.environ if env is None else env
    faults: list[Fault] = []
    folder = data or Path(_value(source, "MES_DATA", faults) or "data")
    port = _port(_value(source, "MES_HTTP_PORT", faults), faults)
    host = _value(source, "MES_HTTP_HOST", faults) or "127.0.0.1"
    database = _value(source, "MES_DATABASE_URL", faults) or f"sqlite:///{folder / 'mes.db'}"
    settings = Settings(
        plant=Path(_value(source, "MES_PLANT", faults) or demo_plant()),
        data=folder,
        database_url=database,
        telemetry_url=_value(source, "MES_TELEMETRY_URL", faults) or _beside(database, folder),
        mqtt_url=_value(source, "MES_MQTT_URL", faults),
        http_host=host,
        http_port=port,
        public_url=(_value(source, "MES_PUBLIC_URL", faults) or _base(folder, host, port)).rstrip("/"),
    )
    if faults:
        raise ConfigError(faults)
    return settings


def _certificate(data: Path) -> Path:
    return data / "certs" / "server.pem"


def _base(data: Path, host: str, port: int) -> str:
    """HTTPS is served as soon as there is a certificate."""
    return f"{'https' if _certificate(data).exists() else 'http'}://{host}:{port}"


def _beside(database_url: str, folder: Path) -> str:
    return f"sqlite:///{folder / 'telemetry.db'}" if database_url.startswith("sqlite") else database_url


def _value(source: Mapping[str, str], name: str, faults: list[Fault]) -> str:
    path = source.get(f"{name}_FILE")
    if path is None:
        return source.get(name, "").strip()
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        faults.append(
            Fault("environment", 0, f"{name}_FILE", "file_missing", f"{path} cannot be read: {error.strerror}")
        )
        return ""


def _port(text: str, faults: list[Fault]) -> int:
    if not text:
        return DEFAULT_PORT
    if text.isdigit() and 0 <= int(text) <= 65535:
        return int(text)
    faults.append(Fault("environment", 0, "MES_HTTP_PORT", "port", f"{text!r} is no port number"))
    return DEFAULT_PORT
