"""The Helm chart: what Helm made of it for some values, and what its schema lets through."""

from __future__ import annotations

import base64
import json
import re
from typing import TYPE_CHECKING, Any

import kubernetes_validate
import pytest
import yaml
from jsonschema import Draft7Validator

from portsync.schedule import Interval
from portsync.settings import read_settings
from tests.deploy.chart import CHART, VALUES, digest, read_rendered
from tests.deploy.objects import KUBERNETES, containers, hardened, pods

if TYPE_CHECKING:
    from pathlib import Path

SCHEMA = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))
DEFAULTS = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
SECRETS = ("port-secret-9c1e", "source-token-7f3a", "http-token-5d2b")
each_rendering = pytest.mark.parametrize("values", VALUES, ids=lambda path: path.name.split(".")[0])


def objects_of(name: str) -> list[dict[str, Any]]:
    (values,) = (path for path in VALUES if path.name.startswith(f"{name}."))
    return read_rendered(values)[1]


def one(name: str, kind: str) -> dict[str, Any]:
    (found,) = (one for one in objects_of(name) if one["kind"] == kind)
    return found


def environment_of(name: str) -> dict[str, str]:
    """The variables that a container gets from the ConfigMap and the Secret that the chart makes."""
    found: dict[str, str] = {}
    for document in objects_of(name):
        data = document.get("data", {})
        if document["metadata"]["name"] != "claude-portsync":
            continue
        if document["kind"] == "ConfigMap":
            found |= data
        if document["kind"] == "Secret":
            found |= {key: base64.b64decode(value).decode() for key, value in data.items()}
    return found


@each_rendering
def test_what_is_kept_was_rendered_from_this_chart(values: Path) -> None:
    assert read_rendered(values)[0] == digest(values), "./dev chart renders it anew, where Helm is installed"


@each_rendering
def test_every_object_is_one_that_kubernetes_takes(values: Path) -> None:
    for document in read_rendered(values)[1]:
        if document["kind"] != "ServiceMonitor":
            kubernetes_validate.validate(document, KUBERNETES, strict=True)


@each_rendering
def test_pods_have_no_rights_that_they_do_not_need(values: Path) -> None:
    found = list(pods(read_rendered(values)[1]))
    assert found
    assert all(hardened(pod) == [] for pod in found)


@each_rendering
def test_secrets_are_in_secrets_alone(values: Path) -> None:
    for document in read_rendered(values)[1]:
        if document["kind"] != "Secret":
            assert not any(secret in json.dumps(document) for secret in SECRETS)


@each_rendering
def test_the_container_can_use_the_variables(values: Path) -> None:
    read_settings(environment_of(values.name.split(".")[0]))


@each_rendering
def test_every_volume_is_mounted_and_every_mount_has_a_volume(values: Path) -> None:
    for pod in pods(read_rendered(values)[1]):
        mounted = {mount["name"] for container in containers(pod) for mount in container["volumeMounts"]}
        assert mounted == {volume["name"] for volume in pod["volumes"]}


def test_the_values_of_ports_guide_are_its_docker_environment() -> None:
    settings = read_settings(environment_of("guide"))
    docker = {
        "OCEAN__EVENT_LISTENER": '{"type":"ONCE"}',
        "OCEAN__INITIALIZE_PORT_RESOURCES": "true",
        "OCEAN__SEND_RAW_DATA_EXAMPLES": "true",
        "OCEAN__INTEGRATION__CONFIG__BASE_URL": "https://api.anthropic.com",
        "OCEAN__INTEGRATION__CONFIG__AUTH_TYPE": "bearer",
        "OCEAN__INTEGRATION__CONFIG__PAGINATION_TYPE": "none",
        "OCEAN__INTEGRATION__SECRETS__TOKEN": "source-token-7f3a",
        "OCEAN__PORT__CLIENT_ID": "cid",
        "OCEAN__PORT__CLIENT_SECRET": "port-secret-9c1e",
        "OCEAN__PORT__BASE_URL": "https://api.getport.io",
    }
    others = {"schedule", "listener", "ocean_identifier", "listen", "log_format", "log_level", "mapping"}
    assert settings.model_dump(exclude=others) == read_settings(docker).model_dump(exclude=others)
    assert (settings.schedule, settings.listener) == (Interval(7200.0), "poll")
    assert settings.ocean_identifier == "my-ocean-claude-integration"


def test_a_switch_that_is_off_is_off_and_a_large_number_keeps_its_digits() -> None:
    found = environment_of("cronjob")
    assert (found["OCEAN__SEND_RAW_DATA_EXAMPLES"], found["OCEAN__INITIALIZE_PORT_RESOURCES"]) == ("false", "false")
    assert found["OCEAN__INTEGRATION__CONFIG__PAGE_SIZE"] == "2000000"


def test_a_cron_job_runs_once_when_the_minutes_say() -> None:
    job = one("cronjob", "CronJob")["spec"]
    settings = read_settings(environment_of("cronjob"))
    assert (job["schedule"], job["concurrencyPolicy"]) == ("0 */2 * * *", "Forbid")
    assert (settings.listener, settings.schedule, settings.own_identifier) == ("once", None, "things")
    assert job["jobTemplate"]["spec"]["activeDeadlineSeconds"] == 5400
    assert not [found for found in objects_of("cronjob") if found["kind"] in ("Secret", "Service")]


def test_secrets_that_are_there_already_are_named() -> None:
    (container,) = containers(next(iter(pods(objects_of("cronjob")))))
    assert [one["secretRef"]["name"] for one in container["envFrom"] if "secretRef" in one] == [
        "port-credentials",
        "source-credentials",
    ]


def test_one_replica_is_replaced_and_never_doubled_and_two_share_their_state() -> None:
    assert one("guide", "Deployment")["spec"]["strategy"] == {"type": "Recreate"}
    many = one("replicas", "Deployment")["spec"]
    (container,) = containers(many["template"]["spec"])
    assert (many["replicas"], many["strategy"]) == (2, {"type": "RollingUpdate"})
    assert container["env"][0]["name"] == "PORTSYNC_STATE"
    assert one("replicas", "PodDisruptionBudget")["spec"]["minAvailable"] == 1


def test_the_volume_of_the_state_outlives_the_release() -> None:
    assert one("guide", "PersistentVolumeClaim")["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"


# The schema


@each_rendering
def test_the_schema_lets_the_values_through(values: Path) -> None:
    given = yaml.safe_load(values.read_text(encoding="utf-8"))
    assert list(Draft7Validator(SCHEMA).iter_errors(given)) == []


def test_the_schema_lets_the_defaults_through() -> None:
    Draft7Validator.check_schema(SCHEMA)
    assert list(Draft7Validator(SCHEMA).iter_errors(DEFAULTS)) == []


@pytest.mark.parametrize(
    "given",
    [
        {"intgration": {}},
        {"integration": {"confg": {}}},
        {"integration": {"identifier": "with space"}},
        {"integration": {"eventListener": {"type": "SOMETIMES"}}},
        {"workload": {"kind": "DaemonSet"}},
        {"port": {"baseUrl": "api.getport.io"}},
        {"sendRawDataExamples": "no"},
        {"secretEnv": {"not-a-name": "x"}},
        {"scheduledResyncInterval": -1},
    ],
    ids=json.dumps,
)
def test_the_schema_refuses_what_would_be_overlooked(given: dict[str, Any]) -> None:
    assert list(Draft7Validator(SCHEMA).iter_errors(given)) != []


def test_every_value_that_a_template_names_is_in_the_schema_and_has_a_default() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in (CHART / "templates").iterdir())
    named = set(re.findall(r"\.Values\.([A-Za-z.]+)", text))
    assert len(named) > 50
    for path in named:
        schema, value = SCHEMA, DEFAULTS
        for key in path.split("."):
            schema, value = schema["properties"][key], value[key]


def test_every_default_is_used_by_a_template() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in (CHART / "templates").iterdir())
    for key, value in DEFAULTS.items():
        names = [key] if not isinstance(value, dict) else [f"{key}.{inner}" for inner in value] or [key]
        for name in names:
            parent = name.split(".")[0]
            whole = re.search(rf"\.Values\.{parent}\b(?!\.)", text)
            assert whole or f".Values.{name}" in text, name
