"""The page of the service against the service."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families
from tests.docs.test_docs import REFERENCE, first_words, sections

from portsync.serve.metrics import Metrics


def test_the_page_names_all_metrics_and_no_others() -> None:
    metrics = Metrics()
    families = text_string_to_metric_families(metrics.text().decode())
    named = {
        f"{family.name}_total" if family.type == "counter" else family.name
        for family in families
        if family.name.startswith("portsync_")
    }
    table = sections(REFERENCE / "service.md")["Metrics"]
    assert first_words(table) == named


def test_every_label_of_a_metric_is_on_the_page() -> None:
    registry = Metrics()._registry
    table = sections(REFERENCE / "service.md")["Metrics"]
    for line in table.splitlines():
        if not line.startswith("| `"):
            continue
        name = line.split("`")[1].removesuffix("_total")
        (labels,) = (
            collector._labelnames
            for collector, names in registry._collector_to_names.items()
            if name in names and hasattr(collector, "_labelnames")
        )
        cell = line.split("|")[2]
        assert [label for label in labels if label != "mapping" and f"`{label}`" not in cell] == [], line
