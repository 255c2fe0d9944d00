"""What an expression may not reach: the environment, other inputs, files, the terminal, the process.

Two fences stand, one behind the other: `check` refuses the names below with their position, and the
prelude gives each of them a harmless meaning, so that a name which got through does nothing at run time.
"""

from __future__ import annotations

REFUSED = frozenset(
    {
        "input",
        "inputs",
        "debug",
        "stderr",
        "halt",
        "halt_error",
        "import",
        "include",
        "modulemeta",
        "get_search_list",
        "get_prog_origin",
        "get_jq_origin",
        "input_filename",
        "input_line_number",
    }
)
"""Names that `check` refuses. `env` and `$ENV` are allowed, and empty, because the contract says so."""

VARIABLES = ("context", "params", "window")
"""The variables that every expression sees, as `$context` and so on."""

_HARMLESS = (
    "def env: {}; "
    'def input: error("input is not available"); '
    'def inputs: error("inputs is not available"); '
    "def debug: .; def debug(f): .; def stderr: .; "
    'def halt: error("halt is not available"); '
    'def halt_error: error("halt_error is not available"); '
    'def halt_error(f): error("halt_error is not available"); '
    'def modulemeta: error("modulemeta is not available"); '
    "def get_search_list: []; def get_prog_origin: null; def get_jq_origin: null; "
    "def input_filename: null; def input_line_number: 0; "
)


def prelude(now: float) -> str:
    """The definitions that stand before every program, on one line. `now` (epoch seconds) is the run's instant:
    one for all expressions, so that a start and an end date cannot straddle midnight."""
    return f"{_HARMLESS}def now: {now!r}; {{}} as $ENV | "


def without_values() -> str:
    """Binds every variable to an empty object, for a program that is only compiled."""
    return "".join(f"{{}} as ${name} | " for name in VARIABLES)
