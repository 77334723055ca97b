"""The containers are closed down: what each may not do is written in the compose file and kept there."""

import shutil
import subprocess
from typing import Any

import pytest
import yaml

from tests.contracts.house import ROOT
from tests.services import missing

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
EXPECTED = {"postgres", "mosquitto", "web", "line", "worker", "simulators"}
HOST_FOLDERS = ("./config/", "./secrets/")


def test_the_services_are_those_of_the_plant() -> None:
    assert set(SERVICES) == EXPECTED


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_a_service_can_do_no_more_than_it_must(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert 0 < service["pids_limit"] <= 512
    assert service["user"].split(":")[0] not in ("0", "root", "")
    assert service["tmpfs"]
    assert not service.get("privileged")
    assert ":" in service["image"]
    assert not service["image"].endswith(":latest")


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_a_service_is_reached_from_this_machine_only_and_sees_no_foreign_folder(name: str) -> None:
    assert [p for p in SERVICES[name].get("ports", []) if not p.startswith("127.0.0.1:")] == []
    mounts = [v for v in SERVICES[name].get("volumes", []) if v.startswith((".", "/"))]
    assert [v for v in mounts if not (v.startswith(HOST_FOLDERS) and v.endswith(":ro"))] == []


def test_secrets_are_files_and_never_values() -> None:
    assert all(set(secret) == {"file"} for secret in COMPOSE["secrets"].values())
    for service in SERVICES.values():
        values = service.get("environment", {})
        assert [
            k
            for k in values
            if any(w in k for w in ("PASSWORD", "SECRET", "TOKEN", "_URL")) and not k.endswith("_FILE")
        ] == []
        assert set(service.get("secrets", [])) <= set(COMPOSE["secrets"])


def test_every_service_that_is_waited_for_says_when_it_is_healthy() -> None:
    for service in SERVICES.values():
        needs = service.get("depends_on", {})
        if isinstance(needs, dict):
            assert {n["condition"] for n in needs.values()} <= {"service_healthy"}
            assert [n for n in needs if "healthcheck" not in SERVICES[n]] == []


def test_names_used_are_names_declared() -> None:
    for service in SERVICES.values():
        named = [v.split(":")[0] for v in service.get("volumes", []) if not v.startswith((".", "/"))]
        assert set(named) <= set(COMPOSE["volumes"])
        assert set(service.get("networks", [])) <= set(COMPOSE["networks"])


def test_a_compose_parser_accepts_the_file() -> None:
    compose = shutil.which("docker-compose")
    if compose is None:
        missing("docker-compose: not installed, only the structure of docker-compose.yml was checked")
    command = [compose, "-f", str(ROOT / "docker-compose.yml"), "config", "-q"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_image_runs_without_root() -> None:
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()
    last = max(i for i, line in enumerate(lines) if line.startswith("FROM "))
    assert "USER 10001:10001" in lines[last:]
