"""The table of the fault matrix in docs/explanation/what-is-guaranteed.md: `./dev matrix` writes it."""

from __future__ import annotations

from pathlib import Path

from tests.faults.matrix import ROWS

_PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "what-is-guaranteed.md"
_BEGIN, _END = "<!-- the fault matrix: written by ./dev matrix -->\n", "<!-- its end -->\n"
_TITLES = {"source": "The source", "Port": "Port", "machine": "The machine"}


def with_table(text: str) -> str:
    """The page's text with the table as it has to be."""
    head, begin, rest = text.partition(_BEGIN)
    _, end, tail = rest.partition(_END)
    assert begin, f"{_PAGE} has no place for the table"
    assert end, f"{_PAGE} has no place for the table"
    return f"{head}{begin}\n{''.join(_tables())}{end}{tail}"


def _tables() -> list[str]:
    lines: list[str] = []
    for where, title in _TITLES.items():
        lines += [
            f"### {title}\n\n",
            "| what happens | exit code | what the report says | what is in Port then | the next run |\n",
            "|---|---|---|---|---|\n",
        ]
        lines += [
            f"| {row.happens} | {row.outcome.exit_code} | {row.outcome.said} | {row.outcome.in_port} "
            f"| {row.outcome.then} |\n"
            for row in ROWS
            if row.where == where
        ]
        lines.append("\n")
    return lines


def main() -> None:
    """Write the table anew."""
    _PAGE.write_text(with_table(_PAGE.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
