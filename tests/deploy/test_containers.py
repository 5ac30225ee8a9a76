"""docker-compose.yml, Dockerfile, Kubernetes manifests and dashboard agree with the specification and with the code."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from core import telemetry
from core.settings import SERVICES, Settings
from deploy.config import DEFAULTS
from deploy.paths import ROOT
from workers.__main__ import NAMES

KUBERNETES = ROOT / "deploy" / "kubernetes"
PORTS = {service: int(DEFAULTS[f"OPS_{service.upper()}_PORT"]) for service in SERVICES}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return loaded


@pytest.fixture(scope="module")
def dockerfile() -> str:
    return (ROOT / "deploy" / "Dockerfile").read_text()


def known_variables() -> set[str]:
    names = set()
    for name, field in Settings.model_fields.items():
        choices = getattr(field.validation_alias, "choices", [f"OPS_{name.upper()}"])
        names |= {str(choice) for choice in choices}
    return names


def test_the_compose_file_is_valid_by_the_specifications_schema() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", "docker-compose.yml"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


def test_the_schema_check_finds_a_mistake(tmp_path: Path) -> None:
    wrong = tmp_path / "docker-compose.yml"
    wrong.write_text("services:\n  audit:\n    imagee: isa-operations\n")
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(wrong)]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 1


def test_each_front_door_and_worker_is_a_healthy_container_of_its_own(compose: dict[str, Any]) -> None:
    services = compose["services"]
    for service, port in PORTS.items():
        assert services[service]["command"] == ["python", "-m", "api", service]
        assert services[service]["ports"] == [f"127.0.0.1:${{OPS_{service.upper()}_PORT:-{port}}}:{port}"]
        assert services[service]["healthcheck"]["test"][-1] == f"http://127.0.0.1:{port}/health/ready"
    for name in NAMES:
        assert services[f"{name}-worker"]["command"] == ["python", "-m", "workers", name]
        assert services[f"{name}-worker"]["healthcheck"]["test"][-1] == "http://127.0.0.1:9100/metrics"


def test_the_database_is_migrated_once_before_anything_uses_it(compose: dict[str, Any]) -> None:
    services = compose["services"]
    assert services["migrate"]["command"] == ["python", "-m", "core.migrations"]
    for name in [*SERVICES, *(f"{name}-worker" for name in NAMES)]:
        assert services[name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}


def test_containers_pass_on_only_variables_that_the_settings_read(compose: dict[str, Any]) -> None:
    assert set(compose["x-environment"]) <= known_variables()


def test_no_secret_has_a_value_in_the_compose_file(compose: dict[str, Any]) -> None:
    for name, value in compose["x-environment"].items():
        if re.search("SECRET|PASSWORD|TOKEN|KEY$", name):
            assert re.fullmatch(r"\$\{\w+(-|:\?.*)\}", value), f"{name} ships a value"


def test_files_that_containers_mount_exist(compose: dict[str, Any]) -> None:
    mounted = [v for service in compose["services"].values() for v in service.get("volumes", []) if v.startswith("./")]
    assert mounted
    assert all((ROOT / volume.split(":")[0]).exists() for volume in mounted)


def test_every_image_has_a_fixed_version(compose: dict[str, Any]) -> None:
    images = {service["image"] for service in compose["services"].values()}
    assert not [image for image in images if ":" not in image or image.endswith(":latest")]
    assert "postgres:18" in images


def test_the_image_opens_the_ports_that_the_settings_name(dockerfile: str) -> None:
    opened = re.search(r"^EXPOSE (.*)$", dockerfile, re.M)
    assert opened is not None
    metrics = re.search(r"OPS_WORKER_METRICS_PORT=(\d+)", dockerfile)
    assert metrics is not None
    assert {int(port) for port in opened[1].split()} == {*PORTS.values(), int(metrics[1])}


def test_the_image_holds_every_package_that_its_commands_run(dockerfile: str) -> None:
    copied = set(re.findall(r"^COPY (\w+) \w+$", dockerfile, re.M))
    assert copied == {"sdk", "core", "activities", "workflows", "workers", "api", "deploy"}
    allowed = (ROOT / "deploy" / "Dockerfile.dockerignore").read_text()
    assert all(f"!{package}\n" in allowed for package in copied)


def test_the_image_does_not_run_as_root(dockerfile: str) -> None:
    assert dockerfile.rindex("\nUSER 10001\n") < dockerfile.rindex("\nCMD ")


def manifests() -> list[dict[str, Any]]:
    files = sorted((KUBERNETES / "base").glob("*.yaml"))
    documents = [d for f in files if f.name != "kustomization.yaml" for d in yaml.safe_load_all(f.read_text())]
    return [document for document in documents if document]


@pytest.mark.parametrize("manifest", manifests(), ids=lambda m: f"{m['kind']}-{m['metadata']['name']}")
def test_a_manifest_is_valid_by_kubernetes_own_schema(manifest: dict[str, Any]) -> None:
    kubernetes_validate.validate(manifest, kubernetes_validate.latest_version(), strict=True)


def deployments() -> dict[str, dict[str, Any]]:
    return {m["metadata"]["name"]: m["spec"]["template"]["spec"] for m in manifests() if m["kind"] == "Deployment"}


def test_kubernetes_runs_each_front_door_and_worker() -> None:
    commands = {name: spec["containers"][0]["command"] for name, spec in deployments().items()}

    doors = {service: ["python", "-m", "api", service] for service in SERVICES}
    assert commands == doors | {f"{name}-worker": ["python", "-m", "workers", name] for name in NAMES}


def test_kubernetes_opens_the_ports_that_the_settings_name() -> None:
    listening = {s: deployments()[s]["containers"][0]["ports"][0]["containerPort"] for s in SERVICES}
    serving = {m["metadata"]["name"]: m["spec"]["ports"][0]["port"] for m in manifests() if m["kind"] == "Service"}

    assert listening == serving == PORTS


def test_no_pod_runs_as_root_or_may_write_its_image() -> None:
    for spec in deployments().values():
        assert spec["securityContext"]["runAsNonRoot"]
        assert spec["containers"][0]["securityContext"]["readOnlyRootFilesystem"]


@pytest.mark.parametrize("overlay", ["existing-cluster", "temporal-cloud-api-key", "temporal-cloud-mtls"])
def test_an_overlay_sets_only_variables_that_the_settings_read(overlay: str) -> None:
    patch = yaml.safe_load((KUBERNETES / overlay / "temporal.yaml").read_text())
    base = next(m for m in manifests() if m["kind"] == "ConfigMap")

    assert set(base["data"]) | set(patch["data"]) <= known_variables()
    assert (patch["metadata"]["name"], patch["kind"]) == (base["metadata"]["name"], base["kind"])


def test_certificates_lie_where_the_settings_look_for_them() -> None:
    overlay = KUBERNETES / "temporal-cloud-mtls"
    data = yaml.safe_load((overlay / "temporal.yaml").read_text())["data"]
    mounts = [op["value"].get("mountPath") for op in yaml.safe_load((overlay / "certificate.yaml").read_text())]

    folders = {str(Path(data[name]).parent) for name in ("TEMPORAL_TLS_CERT", "TEMPORAL_TLS_KEY")}
    assert folders == {mount for mount in mounts if mount}


def test_every_kustomization_names_files_that_exist() -> None:
    for file in KUBERNETES.glob("*/kustomization.yaml"):
        told = yaml.safe_load(file.read_text())
        named = [*told["resources"], *(patch["path"] for patch in told.get("patches", []))]
        assert all((file.parent / name).exists() for name in named), file


def test_the_dashboard_asks_only_for_metrics_that_we_export() -> None:
    dashboard = json.loads((ROOT / "deploy" / "grafana" / "dashboards" / "isa-operations.json").read_text())
    asked = {
        name
        for panel in dashboard["panels"]
        for target in panel["targets"]
        for name in re.findall(r"\bops_\w+", target["expr"])
    }
    ours = (telemetry.HTTP_REQUESTS, telemetry.HTTP_SECONDS, telemetry.PUMP_ROWS, telemetry.PUMP_LAG)
    exported = {
        f"{metric.name}{suffix}"
        for collector in (*ours, telemetry.INTENTS_PENDING)
        for metric in collector.collect()
        for suffix in ("", "_total", "_bucket")
    }
    assert asked <= exported
    assert len(asked) == 5


def test_prometheus_scrapes_every_process() -> None:
    told = yaml.safe_load((ROOT / "deploy" / "prometheus" / "prometheus.yml").read_text())
    targets = told["scrape_configs"][0]["static_configs"][0]["targets"]

    doors = {f"{service}:{port}" for service, port in PORTS.items()}
    assert set(targets) == doors | {f"{name}-worker:9100" for name in NAMES}
