"""Objects of Kubernetes, looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

KUBERNETES = "1.33"
"""Whose schemas objects are held against."""


def pods(objects: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """What the objects say of the pods that they make."""
    for found in objects:
        match found["kind"]:
            case "Deployment" | "Job":
                yield found["spec"]["template"]["spec"]
            case "DaskCluster":
                yield found["spec"]["scheduler"]["spec"]
                yield found["spec"]["worker"]["spec"]
            case "CronJob":
                yield found["spec"]["jobTemplate"]["spec"]["template"]["spec"]
            case _:
                pass


def containers(pod: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = pod["containers"]
    return found


def hardened(pod: dict[str, Any]) -> list[str]:
    """What the pod leaves open, of all that the restricted standard of Kubernetes closes, and more."""
    open_: list[str] = []
    outer = pod["securityContext"]
    wanted = {"runAsNonRoot": True, "runAsUser": 10001, "seccompProfile": {"type": "RuntimeDefault"}}
    open_ += [key for key, value in wanted.items() if outer.get(key) != value]
    for container in containers(pod):
        inner = container["securityContext"]
        wanted = {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}
        open_ += [key for key, value in wanted.items() if inner.get(key) != value]
        open_ += [] if "memory" in container["resources"]["limits"] else ["memory"]
    return open_ + ([] if pod["automountServiceAccountToken"] is False else ["automountServiceAccountToken"])
