"""The Dockerfile and the files that run portsync elsewhere: what they name exists, and they are what they say."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import kubernetes_validate
import pytest
import yaml
from distributed.cli.dask_scheduler import main as dask_scheduler
from distributed.cli.dask_worker import main as dask_worker
from prometheus_client.parser import text_string_to_metric_families
from pydantic import AliasChoices
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from portsync.blueprints import read_blueprints
from portsync.cli.main import portsync
from portsync.loopback import serving
from portsync.mapping.fit import fit_problems
from portsync.mapping.loader import parse
from portsync.reconcile import Deletion, Refused
from portsync.report import Report, ResourceReport
from portsync.serve.metrics import Metrics
from portsync.settings import Settings, read_settings
from tests.deploy.objects import KUBERNETES, containers, hardened, pods

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
MANIFESTS = sorted((DEPLOY / "kubernetes").glob("*.yaml"))
OURS = [path for path in DEPLOY.rglob("*") if path.is_file() and "helm" not in path.parts and path.suffix != ".py"]
each_file = pytest.mark.parametrize("path", OURS, ids=lambda path: str(path.relative_to(DEPLOY)))


def known_variables() -> set[str]:
    found = {"PORTSYNC_SOURCE_AUTH", "PORTSYNC_SOURCE_PAGINATION"}
    for field in Settings.model_fields.values():
        match field.validation_alias:
            case AliasChoices(choices=choices):
                found |= {str(choice) for choice in choices}
            case str() as name:
                found.add(name)
            case _:
                pass
    return found


@each_file
def test_the_variables_that_a_file_names_are_read(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert set(re.findall(r"\b(?:PORT|PORTSYNC|OCEAN_)_[A-Z_]*[A-Z]\b", text)) <= known_variables()


@each_file
def test_the_commands_that_a_file_runs_exist_with_their_options(path: Path) -> None:
    for line in path.read_text(encoding="utf-8").splitlines():
        found = re.search(r"(?:^|\s|/|=)portsync (check|plan|sync|serve)\b(.*)", line.split("#")[0])
        if found:
            command = portsync.get_command(click.Context(portsync), found[1])
            assert command is not None
            known = {option for param in command.params for option in param.opts}
            assert set(re.findall(r"(?<=\s)--[a-z-]+", found[2])) <= known, line


def test_the_search_for_commands_finds_them() -> None:
    """So that the test above cannot pass because it looks at nothing."""
    text = "\n".join(path.read_text(encoding="utf-8") for path in OURS)
    assert len(re.findall(r"(?:^|\s|/|=)portsync (?:check|plan|sync|serve)\b", text)) >= 7


# The container


def entry(word: str) -> list[str]:
    """The words of ENTRYPOINT or CMD of the last stage, or of the health check."""
    (found,) = re.findall(rf"(?m)^{word} (\[.*\])$", DOCKERFILE)
    value = yaml.safe_load(found)
    assert isinstance(value, list)
    return value


def test_the_container_serves_by_default_as_a_user_with_a_number() -> None:
    command = portsync.get_command(click.Context(portsync), *entry("CMD"))
    assert (entry("ENTRYPOINT"), command and command.name) == (["portsync"], "serve")
    assert re.findall(r"(?m)^USER (.*)$", DOCKERFILE) == ["10001"]


def test_the_base_image_is_one_release_of_python_and_debian() -> None:
    first, *others = re.findall(r"(?m)^FROM (\S+)", DOCKERFILE)
    assert re.fullmatch(r"python:3\.\d+-slim-[a-z]+", first)
    assert set(others) == {"base"}


def test_what_the_container_copies_is_there_and_is_let_through() -> None:
    let_through = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    copied = [word for line in re.findall(r"(?m)^COPY (?!--)(.+)$", DOCKERFILE) for word in line.split()[:-1]]
    assert len(copied) >= 9
    for name in copied:
        assert (ROOT / name).exists(), name
        assert f"!{name.split('/')[0]}" in let_through


def test_the_variables_of_the_container_are_read() -> None:
    set_there = re.findall(r"(?m)\b(PORTSYNC_[A-Z_]+)=(\S+)", DOCKERFILE)
    settings = read_settings(dict(set_there))
    assert {name for name, _ in set_there} <= known_variables()
    assert (settings.listen, settings.mapping) == ("0.0.0.0:8000", "/etc/portsync/mapping.yaml")


@pytest.mark.parametrize(("status", "is_healthy"), [(200, True), (503, False), (None, False)])
def test_the_health_check_passes_where_the_service_says_that_it_is_well(status: int | None, is_healthy: bool) -> None:
    _, *words = entry(r"    CMD")
    app = Starlette(routes=[Route("/healthz", lambda _: Response(status_code=status or 200))])
    with socket.create_server(("127.0.0.1", 0)) as closed:
        nobody = closed.getsockname()[1]
    with serving(app) as url:
        port = nobody if status is None else url.rsplit(":", 1)[1]
        # A proxy must not come between.
        env = {**os.environ, "PORTSYNC_LISTEN": f"0.0.0.0:{port}", "HTTP_PROXY": "http://127.0.0.1:1"}
        run = subprocess.run([sys.executable, *words], env=env, capture_output=True, timeout=30, check=False)
    assert (run.returncode == 0) is is_healthy


def locked(name: str) -> set[str]:
    text = (ROOT / "requirements" / f"{name}.lock").read_text(encoding="utf-8")
    return set(re.findall(r"(?m)^([a-z0-9-]+==\S+)", text))


def test_the_lock_of_the_container_holds_the_versions_that_are_tested_and_nothing_that_builds() -> None:
    image = locked("image")
    assert image <= locked("dev") | {found for found in image if found.startswith("tzdata==")}
    names = {found.split("==")[0] for found in image}
    assert {"psycopg-binary", "cryptography", "jq"} <= names
    assert not names & {"hatchling", "editables", "pytest"}


def test_the_lock_of_the_container_for_a_cluster_holds_that_of_the_container_and_dask() -> None:
    image, cluster, dev = (locked(name) for name in ("image", "cluster", "dev"))
    assert image < cluster <= dev | image
    assert {"dask", "distributed"} <= {found.split("==")[0] for found in cluster - image}
    default, *others = re.findall(r"(?m)^ARG LOCK=(\S+)", DOCKERFILE)
    assert (default, others, DOCKERFILE.count("${LOCK}.lock")) == ("image", [], 1)


# Kubernetes


def objects(path: Path) -> Iterator[dict[str, Any]]:
    yield from yaml.safe_load_all(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", [p for p in MANIFESTS if p.name != "kustomization.yaml"], ids=lambda p: p.name)
def test_a_manifest_is_one_that_kubernetes_takes(path: Path) -> None:
    for document in objects(path):
        kubernetes_validate.validate(document, KUBERNETES, strict=True)


@pytest.mark.parametrize("name", ["deployment.yaml", "cronjob.yaml"])
def test_the_pods_have_no_rights_that_they_do_not_need_and_name_what_is_there(name: str) -> None:
    (pod,) = pods(objects(DEPLOY / "kubernetes" / name))
    assert hardened(pod) == []
    there = [found for path in MANIFESTS for found in objects(path) if "metadata" in found]
    made = {(found["kind"], found["metadata"]["name"]) for found in there}
    sources = [source for container in containers(pod) for source in container["envFrom"]]
    named = {("ConfigMap", s["configMapRef"]["name"]) for s in sources if "configMapRef" in s}
    named |= {("Secret", s["secretRef"]["name"]) for s in sources if "secretRef" in s}
    named |= {("ConfigMap", v["configMap"]["name"]) for v in pod["volumes"] if "configMap" in v}
    named |= {
        ("PersistentVolumeClaim", v["persistentVolumeClaim"]["claimName"])
        for v in pod["volumes"]
        if "configMap" not in v
    }
    assert len(named) == 4
    assert named <= made


def test_the_kustomization_holds_files_that_are_there_and_no_secret() -> None:
    (found,) = objects(DEPLOY / "kubernetes" / "kustomization.yaml")
    assert all((DEPLOY / "kubernetes" / name).is_file() for name in found["resources"])
    assert not any("secret" in name for name in found["resources"])


def test_the_variables_and_the_mapping_of_the_manifests_can_be_used() -> None:
    variables, mapping = (found["data"] for found in objects(DEPLOY / "kubernetes" / "configmap.yaml"))
    (secret,) = objects(DEPLOY / "kubernetes" / "secret.example.yaml")
    environment = {**variables, **secret["stringData"]}
    read_settings(environment)
    loaded = parse(mapping["mapping.yaml"], Path("mapping.yaml"), environment)
    assert fit_problems(loaded, read_blueprints(ROOT / "blueprints" / "claude")) == []


# Dask

DASK = [found for path in sorted((DEPLOY / "dask").iterdir()) for found in objects(path)]


def dask_object(kind: str) -> dict[str, Any]:
    (found,) = (one for one in DASK if one["kind"] == kind)
    return found


def test_the_pods_of_a_dask_cluster_are_such_as_kubernetes_takes_and_have_no_rights_that_they_do_not_need() -> None:
    made = list(pods(DASK))
    assert len(made) == 3
    for pod in made:
        whole = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "any"}, "spec": pod}
        kubernetes_validate.validate(whole, KUBERNETES, strict=True)
        assert hardened(pod) == []
    kubernetes_validate.validate(dask_object("Job"), KUBERNETES, strict=True)
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "any"}}
    service["spec"] = dask_object("DaskCluster")["spec"]["scheduler"]["service"]
    kubernetes_validate.validate(service, KUBERNETES, strict=True)


def test_scheduler_workers_and_job_have_the_same_image() -> None:
    assert {container["image"] for pod in pods(DASK) for container in containers(pod)} == {"portsync:0.1.0-cluster"}


def test_the_job_asks_for_a_run_at_the_scheduler_of_the_cluster() -> None:
    (job,) = containers(next(pods([dask_object("Job")])))
    command = portsync.get_command(click.Context(portsync), job["args"][0])
    assert command is not None
    context = command.make_context("sync", job["args"][1:])
    mounted = {mount["mountPath"] for mount in job["volumeMounts"]}
    assert {str(path) for path in context.params["mappings"]} <= mounted
    # The operator names the service of the scheduler after the cluster.
    cluster = dask_object("DaskCluster")
    service = cluster["spec"]["scheduler"]["service"]
    name, port = cluster["metadata"]["name"], service["ports"][0]["port"]
    assert (context.params["executor"], context.params["scheduler"]) == ("dask", f"tcp://{name}-scheduler:{port}")
    assert service["selector"]["dask.org/cluster-name"] == name


@pytest.mark.parametrize(("part", "command"), [("scheduler", dask_scheduler), ("worker", dask_worker)])
def test_scheduler_and_worker_take_what_they_are_given(part: str, command: click.Command) -> None:
    (container,) = dask_object("DaskCluster")["spec"][part]["spec"]["containers"]
    assert container["command"] == ["dask", part]
    known = {option for param in command.params for option in (*param.opts, *param.secondary_opts)}
    assert {word for word in container["args"] if word.startswith("--")} <= known
    assert "--nthreads" in container["args"] or part == "scheduler"


# Prometheus


def expressions() -> list[str]:
    (found,) = objects(DEPLOY / "prometheus" / "alerts.yaml")
    return [rule["expr"] for group in found["groups"] for rule in group["rules"]]


def families() -> dict[str, set[str]]:
    """What a service tells of a run in which a deletion was refused: the labels of each number."""
    metrics = Metrics()
    metrics.mapping("things", is_valid=True)
    metrics.next_run("things", 0.0)
    deletions = (Deletion("thing", 2, 0, Refused.THRESHOLD),)
    metrics.ended("things", Report("", "", 0.0, 0.0, 0, (ResourceReport(0, "/things"),), deletions=deletions))
    found: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(metrics.text().decode()):
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    return found


@pytest.mark.parametrize("expression", expressions())
def test_an_alert_is_about_numbers_and_labels_that_there_are(expression: str) -> None:
    found = re.findall(r"(portsync_\w+)(?:\{(.*?)\})?", expression)
    assert found
    for name, selectors in found:
        assert set(re.findall(r"(\w+)=", selectors)) <= families()[name]


def test_the_page_shows_the_alerts_of_the_file() -> None:
    page = (ROOT / "docs" / "reference" / "service.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"(?s)```promql\n(.*?)```", page)
    assert block.splitlines() == expressions()


# Compose, and the continuous integrations


def test_the_services_of_compose_are_closed_and_mount_what_is_there() -> None:
    (found,) = objects(DEPLOY / "compose" / "compose.yaml")
    service = found["services"]["portsync"]
    assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])
    assert service["ports"] == ["127.0.0.1:8000:8000"]
    for volume in service["volumes"]:
        source = volume.split(":")[0]
        assert source in found["volumes"] or (DEPLOY / "compose" / source).exists(), source
    read_settings(service["environment"])


@pytest.mark.parametrize(
    ("path", "schema"),
    [
        ("ci/github-check.yaml", ["vendor.github-workflows"]),
        ("ci/github-sync.yaml", ["vendor.github-workflows"]),
        ("ci/gitlab-ci.yaml", ["vendor.gitlab-ci", "--data-transform", "gitlab-ci"]),
        ("compose/compose.yaml", ["vendor.compose-spec"]),
    ],
)
def test_a_file_fits_the_schema_of_those_who_read_it(path: str, schema: list[str]) -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", *schema, str(DEPLOY / path)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == 0, run.stdout


def test_the_workflows_ask_for_no_more_than_they_need_and_never_run_two_syncs_at_once() -> None:
    for name, permissions in (("check", {"contents", "pull-requests"}), ("sync", {"contents"})):
        (workflow,) = objects(DEPLOY / "ci" / f"github-{name}.yaml")
        assert set(workflow["permissions"]) == permissions
        for job in workflow["jobs"].values():
            assert all(set(step) & {"run", "uses"} for step in job["steps"])
    assert workflow["concurrency"]["cancel-in-progress"] is False
    (gitlab,) = objects(DEPLOY / "ci" / "gitlab-ci.yaml")
    assert gitlab["sync"]["resource_group"]


# systemd


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd here")
def test_systemd_understands_the_units_and_finds_little_that_is_open(tmp_path: Path) -> None:
    units = sorted((DEPLOY / "systemd").iterdir())
    for unit in units:
        text = unit.read_text(encoding="utf-8").replace("/opt/portsync/bin/portsync", sys.executable)
        (tmp_path / unit.name).write_text(text, encoding="utf-8")
    paths = [str(tmp_path / unit.name) for unit in units]
    said = subprocess.run(
        ["systemd-analyze", "verify", *paths], capture_output=True, text=True, check=False, timeout=60
    )
    assert [line for line in said.stderr.splitlines() if str(tmp_path) in line] == []
    services = [path for path in paths if path.endswith(".service")]
    rating = ["systemd-analyze", "security", "--offline=true", "--threshold=20", *services]
    assert subprocess.run(rating, capture_output=True, check=False, timeout=60).returncode == 0
