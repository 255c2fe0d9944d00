"""The models that the sample organisation uses."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random


@dataclass(frozen=True, slots=True)
class Model:
    """A model: the `chance` that a user's day has it, and its usual `share` of that user's requests.

    Prices are in US cents per million tokens.
    """

    model_id: str
    name: str
    chance: float
    share: float
    input_price: int
    output_price: int


MODELS = (
    Model("claude-opus-4-1-20250805", "Claude Opus 4.1", 0.35, 0.2, 1500, 7500),
    Model("claude-sonnet-4-5-20250929", "Claude Sonnet 4.5", 0.95, 0.6, 300, 1500),
    Model("claude-haiku-4-5-20251001", "Claude Haiku 4.5", 0.5, 0.3, 100, 500),
)


def sample_models(count: int) -> tuple[Model, ...]:
    """Give `count` models, always the same ones: a smaller count gives the first of a larger one. Those after the
    shipped three are invented."""
    return tuple(MODELS[index] if index < len(MODELS) else _model_at(index) for index in range(count))


def _model_at(index: int) -> Model:
    rng = Random(f"model/{index}")  # noqa: S311 - invented data, nothing is kept secret with it
    input_price = rng.choice((80, 100, 300, 500, 1500))
    number = index + 1
    return Model(
        f"claude-sample-{number}",
        f"Claude Sample {number}",
        rng.uniform(0.1, 0.6),
        rng.uniform(0.05, 0.3),
        input_price,
        5 * input_price,
    )
