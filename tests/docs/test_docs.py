"""The documentation against the code: what it names exists, and what exists is named."""

from __future__ import annotations

import ast
import asyncio
import io
import json
import re
from contextlib import redirect_stdout
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import pytest
from pydantic import AliasChoices

from portsync import errors
from portsync.authoring.suite import load_suite
from portsync.blueprints import read_blueprints
from portsync.cli.main import portsync
from portsync.cli.render import print_report
from portsync.emulator.guesses import Guesses
from portsync.errors import MappingError, PortSyncError
from portsync.logs import Redactor
from portsync.mapping.fit import constant, fit_problems
from portsync.mapping.loader import parse
from portsync.mapping.repair import apply_repairs, find_repairs
from portsync.mapping.schema import mapping_schema
from portsync.report import Report, ResourceReport
from portsync.settings import Settings, read_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic.fields import FieldInfo

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "portsync"
REFERENCE = ROOT / "docs" / "reference"
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
WRONG = "<!-- wrong -->"
_CODE = re.compile(r"[a-z]+(-[a-z]+)*")

each_page = pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])


@dataclass(frozen=True)
class Fence:
    """A fenced block of a page."""

    page: Path
    line: int
    """Counted from 1: where the fence opens."""
    language: str
    text: str
    is_wrong: bool
    """Whether the line before says that it is wrong on purpose."""

    def __str__(self) -> str:
        return f"{self.page.name}:{self.line}"


def fences(page: Path) -> Iterator[Fence]:
    lines = page.read_text(encoding="utf-8").splitlines()
    opened: int | None = None
    for number, line in enumerate(lines):
        if not line.startswith("```"):
            continue
        if opened is None:
            opened = number
            continue
        before = lines[opened - 1].strip() if opened else ""
        text = "\n".join(lines[opened + 1 : number]) + "\n"
        yield Fence(page, opened + 1, lines[opened].removeprefix("```"), text, before == WRONG)
        opened = None
    assert opened is None, f"{page}:{opened} is never closed"


def prose(page: Path) -> str:
    """The page without its fences."""
    return re.sub(r"(?ms)^```.*?^```$", "", page.read_text(encoding="utf-8"))


def sections(page: Path, level: int = 2) -> dict[str, str]:
    """The text below each heading of a level, by the heading without its backticks."""
    parts = re.split(rf"(?m)^{'#' * level} (.+)$", prose(page))
    return {heading.replace("`", ""): text for heading, text in zip(parts[1::2], parts[2::2], strict=True)}


def rows(text: str) -> list[list[str]]:
    """The cells of all table rows, without the lines that rule them."""
    found = [[cell.strip() for cell in line.strip("|").split(" |")] for line in text.splitlines() if line[:1] == "|"]
    return [cells for cells in found if not set(cells[0]) <= {"-", "|"}]


def first_words(text: str) -> set[str]:
    """What stands between backticks in the first cells of the tables."""
    return {word for cells in rows(text) for word in re.findall(r"`([^`]+)`", cells[0])}


# Mappings

MAPPINGS = [f for page in PAGES for f in fences(page) if f.language == "yaml" and re.search(r"(?m)^resources:", f.text)]
right_mappings = pytest.mark.parametrize("fence", [f for f in MAPPINGS if not f.is_wrong], ids=str)
wrong_mappings = pytest.mark.parametrize("fence", [f for f in MAPPINGS if f.is_wrong], ids=str)


def environment_of(text: str) -> dict[str, str]:
    """A value for each variable that a mapping takes."""
    return dict.fromkeys(re.findall(r"\$\{([A-Z_]+)", text), "anything")


@right_mappings
def test_a_mapping_in_the_docs_has_no_problems_and_fits_its_blueprints(fence: Fence) -> None:
    loaded = parse(fence.text, fence.page, environment_of(fence.text))
    shipped = read_blueprints(ROOT / "blueprints" / "claude")
    named = {constant(m.blueprint) for resource in loaded.file.resources for m in resource.port.entity.mappings}
    if named <= {blueprint["identifier"] for blueprint in shipped}:
        assert fit_problems(loaded, shipped) == []


@wrong_mappings
def test_a_mapping_that_the_docs_call_wrong_is_refused(fence: Fence) -> None:
    with pytest.raises(MappingError):
        parse(fence.text, fence.page, environment_of(fence.text))


def test_every_yaml_block_is_a_whole_mapping() -> None:
    """So that none escapes the two tests above."""
    blocks = [fence for page in PAGES for fence in fences(page) if fence.language in ("yaml", "yml")]
    assert [fence for fence in blocks if fence not in CASES] == MAPPINGS


CASES = [f for page in PAGES for f in fences(page) if f.language == "yaml" and re.search(r"(?m)^cases:", f.text)]


@pytest.mark.parametrize("fence", CASES, ids=str)
def test_the_mapping_before_test_cases_in_the_docs_passes_them(fence: Fence, tmp_path: Path) -> None:
    before = [mapping for mapping in MAPPINGS if mapping.page == fence.page and mapping.line < fence.line]
    (tmp_path / "m.yaml").write_text(before[-1].text, encoding="utf-8")
    (tmp_path / "m.test.yaml").write_text(fence.text, encoding="utf-8")
    suite = load_suite(tmp_path / "m.test.yaml")

    async def faults() -> list[str]:
        return [fault async for outcome in suite.outcomes() for fault in outcome.faults]

    assert asyncio.run(faults()) == []


def test_the_mistake_of_the_tutorial_is_repaired_by_check_as_the_page_says() -> None:
    page = ROOT / "docs" / "tutorial.md"
    (wrong,) = [fence for fence in fences(page) if fence.is_wrong]
    (repair,) = find_repairs(wrong.text)
    parse(apply_repairs(wrong.text, (repair,)), page, environment_of(wrong.text))
    assert repair.fixed is not None
    text = page.read_text(encoding="utf-8")
    assert f"cost.yaml:{repair.line}: {repair.fixed.strip()}" in text
    assert f"--> cost.yaml:{repair.line}:{repair.column}" in text


# Commands

COMMANDS = portsync.list_commands(click.Context(portsync))
each_command = pytest.mark.parametrize("name", COMMANDS)


def command_of(name: str) -> click.Command:
    command = portsync.get_command(click.Context(portsync), name)
    assert command is not None
    return command


@each_command
def test_the_help_of_a_command_ends_with_an_example_of_it(name: str) -> None:
    last_paragraph = (command_of(name).help or "").strip().split("\n\n")[-1]
    assert re.match(rf"[\x08\s]*Example:\n.*portsync {name}\b", last_paragraph)


def test_the_page_of_commands_has_a_section_for_each_in_the_order_of_the_help() -> None:
    assert list(sections(REFERENCE / "cli.md")) == COMMANDS


@each_command
def test_the_section_of_a_command_has_a_row_for_each_option_and_no_other(name: str) -> None:
    options = {option for p in command_of(name).params if isinstance(p, click.Option) for option in p.opts}
    assert first_words(sections(REFERENCE / "cli.md")[name]) == options


@each_page
def test_the_portsync_commands_and_options_in_code_blocks_exist(page: Path) -> None:
    for fence in fences(page):
        text = fence.text.replace("\\\n", " ")
        for line in text.splitlines():
            found = re.search(r"(?:\./dev run|(?:^|\s)portsync) ([a-z]+)\b(.*)", line)
            if fence.language == "sh" and found:
                params = {option for param in command_of(found[1]).params for option in param.opts}
                assert set(re.findall(r"(?<=\s)--[a-z-]+", found[2])) <= params, f"{fence}: {line}"


@each_page
def test_the_subcommands_of_dev_in_code_blocks_exist(page: Path) -> None:
    known = set(re.findall(r"(?m)^([a-z]+)\)", (ROOT / "dev").read_text(encoding="utf-8")))
    used = re.findall(r"\./dev ([a-z]+)", page.read_text(encoding="utf-8"))
    assert set(used) <= known


# Problem codes


@cache
def problem_codes() -> frozenset[str]:
    """Every code that the source gives to a problem, as literals."""
    files = [path for path in SOURCE.rglob("*.py") if path.relative_to(SOURCE).parts[0] not in ("emulator", "demo")]
    return frozenset(code for path in files for code in codes_in(ast.parse(path.read_text(encoding="utf-8"))))


def codes_in(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Call(
                func=ast.Name(id="Problem" | "Failure" | "Fault" | "failed" | "failure" | "_unmade"), args=[first, *_]
            ):
                yield from literals(first)
            case ast.Call(func=ast.Name(id="Outcome"), args=[_, _, third, *_]):
                yield from literals(third)
            case (
                ast.Assign(targets=[ast.Tuple(elts=[ast.Name(id="code"), *_])], value=ast.Tuple(elts=[first, *_]))
                | ast.Return(value=ast.Tuple(elts=[ast.Constant() as first, _, _]))
            ):
                yield from literals(first)
            case ast.Constant(value=str() as text):
                # The guarded JQ program names the code of a record that it gives up: `[$__i, null, "code", ...]`.
                yield from re.findall(r'\[\$__i, null, "([a-z-]+)"', text)
            case _:
                pass


def literals(node: ast.expr) -> Iterator[str]:
    """The texts that an expression may give: itself, or the arms of `a if b else c` and `a or b`."""
    match node:
        case ast.Constant(value=str() as text):
            assert _CODE.fullmatch(text), f"`{text}` is no code"
            yield text
        case ast.IfExp(body=body, orelse=orelse):
            yield from literals(body)
            yield from literals(orelse)
        case ast.BoolOp(values=values):
            for value in values:
                yield from literals(value)
        case _:
            pass


def test_every_problem_code_has_its_section_and_every_section_its_code() -> None:
    headings = list(sections(REFERENCE / "errors.md"))
    assert set(headings) == problem_codes()
    assert headings == sorted(set(headings))


def test_every_problem_code_is_found_however_it_is_written() -> None:
    """So that the test above cannot pass because the search has gone blind."""
    text = (
        "Problem('a', 'message')\nProblem('b-b' if x else 'c', y)\nFailure(z.code or 'd', y)\nfailed('e', y)\n"
        "Outcome(entity, fate, 'f')\ncode, message = 'g', y\n\ndef h():\n    return 'h', y, None\n"
        "\nprogram = f'[$__i, null, \"i\", 1]'\nfailure('j', y)\n_unmade('k', y)\n"
    )
    assert set(codes_in(ast.parse(text))) == {"a", "b-b", "c", "d", "e", "f", "g", "h", "i", "j", "k"}


@each_page
def test_the_problem_codes_that_output_in_the_docs_shows_exist(page: Path) -> None:
    assert set(re.findall(r"error\[([a-z-]+)\]", page.read_text(encoding="utf-8"))) <= problem_codes()


# Keys of the mapping

SCHEMA = mapping_schema()
_UNIONS = ("auth", "pagination")


def schema_sections() -> dict[str, dict[str, Any]]:
    """The sections that the page on the mapping must have, each with the keys of the schema."""
    found: dict[str, dict[str, Any]] = {"the file": SCHEMA["properties"]}
    waiting = [SCHEMA["properties"]]
    while waiting:
        for key, value in waiting.pop().items():
            for name, definition in definitions(key, value):
                if name not in found:
                    found[name] = definition["properties"]
                    waiting.append(definition["properties"])
    return found


def definitions(key: str, value: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The definitions that a key's value refers to; those of a union are told apart by their type."""
    if "$ref" in value:
        definition = SCHEMA["$defs"][value["$ref"].rsplit("/", 1)[-1]]
        kind = definition["properties"].get("type", {})
        names = [kind["const"]] if "const" in kind else kind.get("enum", [])
        yield (f"{key}: {names[0]}" if key in _UNIONS else key), definition
    nested = [value[name] for name in ("items", "additionalProperties") if isinstance(value.get(name), dict)]
    for inner in (*value.get("anyOf", ()), *value.get("oneOf", ()), *nested):
        yield from definitions(key, inner)


@pytest.mark.parametrize(("section", "keys"), schema_sections().items(), ids=list(schema_sections()))
def test_every_key_of_the_mapping_has_a_row_with_its_default_and_no_other_has(
    section: str, keys: dict[str, Any]
) -> None:
    found = {cells[0].strip("`"): cells for cells in rows(sections(REFERENCE / "mapping.md")[section])[1:]}
    documented = {key for key, cells in found.items() if len(cells) == 4}
    assert documented == set(keys)
    for key, value in keys.items():
        default = value.get("default")
        if isinstance(default, bool | int | float) or (isinstance(default, str) and default and key != "type"):
            shown = default if isinstance(default, str) else json.dumps(default)
            assert found[key][2] == f"`{shown}`", key


def test_the_page_on_the_mapping_has_no_section_for_what_is_not_in_the_schema() -> None:
    others = {"Expressions", "Spans", "Interpolation", "What a status means"}
    assert set(sections(REFERENCE / "mapping.md")) - others == set(schema_sections())


# Environment


@cache
def variables() -> frozenset[str]:
    """Every environment variable that the code reads."""
    found: set[str] = set()
    code = "".join((SOURCE / name).read_text(encoding="utf-8") for name in ("settings.py", "ocean_environment.py"))
    code = code.replace("from __future__ import annotations", "")
    for node in ast.walk(ast.parse(code)):
        match node:
            case ast.Constant(value=str() as text) if re.fullmatch(r"(PORT_|PORTSYNC_|OCEAN__)\w*[A-Z]", text):
                found.add(text)
            case ast.JoinedStr(
                values=[ast.FormattedValue(value=ast.Name(id="OCEAN_CONFIG")), ast.Constant(value=str() as v)]
            ):
                found |= {f"OCEAN__INTEGRATION__CONFIG__{v}"} if re.fullmatch(r"[A-Z_]+", v) else set()
            case ast.Call(func=ast.Name(id="ocean"), args=[ast.Constant(value=str() as name)]):
                found.add(f"OCEAN__INTEGRATION__CONFIG__{name}")
            case _:
                pass
    for name in COMMANDS:
        found |= {p.envvar for p in command_of(name).params if isinstance(p.envvar, str)}
    return frozenset(found)


def test_every_environment_variable_has_its_row_and_every_row_its_variable() -> None:
    page = prose(REFERENCE / "environment.md")
    cells = [cell for row in rows(page) for cell in row[:2]]
    named = {name for cell in cells for name in re.findall(r"`((?:PORT_|PORTSYNC_|OCEAN__)[A-Z_]*[A-Z])`", cell)}
    assert named == variables()


def aliases(field: FieldInfo) -> list[str]:
    """The variables behind a setting, portsync's own first."""
    alias = field.validation_alias
    return [str(name) for name in alias.choices] if isinstance(alias, AliasChoices) else [str(alias)]


SETTINGS = [
    (name, variable, field)
    for name, field in Settings.model_fields.items()
    for variable in aliases(field)[:1]
    if variable.startswith(("PORT_", "PORTSYNC_"))
]
_ELSEWHERE = {"PORTSYNC_LISTENER": "`poll`"}
"""What a command makes of a setting that has no default of its own."""


def default_cells() -> dict[str, str]:
    """The cell with the default, of each variable in the tables that have one."""
    found: dict[str, str] = {}
    column: int | None = None
    for cells in rows(prose(REFERENCE / "environment.md")):
        if cells[0] == "variable":
            column = cells.index("default") if "default" in cells else None
        elif column is not None:
            found[cells[0].strip("`")] = cells[column]
    return found


@pytest.mark.parametrize(("name", "variable", "field"), SETTINGS, ids=[variable for _, variable, _ in SETTINGS])
def test_a_variable_that_is_set_to_its_documented_default_changes_nothing(
    name: str, variable: str, field: FieldInfo
) -> None:
    cell = default_cells()[variable]
    shown = re.fullmatch(r"`([^`<>]+)`", cell)
    if field.default is None:
        # Then the cell says in words what comes instead.
        assert cell == _ELSEWHERE.get(variable) or shown is None
    elif shown is None:
        assert (cell, field.default) == ("none", frozenset())
    else:
        assert getattr(read_settings({variable: shown[1]}), name) == field.default


@each_page
def test_the_variables_of_portsync_that_a_page_names_exist(page: Path) -> None:
    # Each of Ocean's names for the authentication may also begin so.
    text = re.sub("__SECRETS__(?=[A-Z])", "__CONFIG__", page.read_text(encoding="utf-8"))
    assert set(re.findall(r"\b(?:PORT_|PORTSYNC_|OCEAN__)[A-Z_]*[A-Z]\b", text)) <= variables() | {
        "OCEAN__INTEGRATION__SECRETS"
    }


# In place of Ocean

FROM_OCEAN = ROOT / "docs" / "guides" / "from-ocean.md"


def keys_that_are_refused() -> list[str]:
    table = rows(sections(FROM_OCEAN, 3)["Keys that are refused"])[1:]
    return [cells[0].strip("`") for cells in table if cells[0].startswith("`")]


@pytest.mark.parametrize("key", keys_that_are_refused())
def test_the_keys_of_ocean_that_the_guide_calls_refused_are(key: str) -> None:
    below, _, name = key.rpartition(".")
    entity = {"mappings": {"identifier": ".id", "blueprint": '"thing"'}}
    resource: dict[str, Any] = {"kind": "/things", "selector": {"query": "true"}, "port": {"entity": entity}}
    (resource[below] if below else resource)[name] = "x"
    with pytest.raises(MappingError) as caught:
        parse(json.dumps({"resources": [resource]}), FROM_OCEAN, {})
    assert [problem.code for problem in caught.value.problems] == ["unknown-key"]


def test_the_guide_from_ocean_has_a_row_for_each_variable_of_ocean_that_is_read() -> None:
    page = prose(FROM_OCEAN)
    read = {name.removeprefix("OCEAN__INTEGRATION__CONFIG__") for name in variables() if name.startswith("OCEAN__")}
    assert read <= set(re.findall(r"`([A-Z_]+)`", "\n".join(cells[0] for cells in rows(page))))


# Logs


def logged() -> dict[str, tuple[str, set[str]]]:
    """Every event that the source logs, with its level and the fields that stand beside its name."""
    found: dict[str, tuple[str, set[str]]] = {}
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(
                    func=ast.Attribute(attr="debug" | "info" | "warning" | "error" as level),
                    args=[ast.Constant(value=str() as event)],
                    keywords=keywords,
                ):
                    fields = {keyword.arg for keyword in keywords if keyword.arg is not None} - {"run_id"}
                    found[event] = (level, found.get(event, (level, set()))[1] | fields)
                case _:
                    pass
    return found


def test_every_event_of_the_log_has_its_row_with_its_level_and_fields() -> None:
    table = rows(sections(REFERENCE / "logs.md")["Events"])[1:]
    documented = {cells[0].strip("`"): (cells[1], set(re.findall(r"`(\w+)`", cells[2]))) for cells in table}
    assert documented == logged()
    assert list(documented) == sorted(documented)
    assert all(re.fullmatch(r"[a-z]+\.[a-z_]+", event) for event in documented)


# The local Port


def test_every_guess_of_the_local_port_has_its_row_with_its_default_and_no_other_has() -> None:
    table = rows(sections(REFERENCE / "local-port.md")["Guesses"])[1:]
    documented = {cells[0].strip("`"): cells[1].strip("`") for cells in table}
    assert documented == {field.name: str(field.default).lower() for field in fields(Guesses)}


# Exit codes


def codes_of(text: str) -> set[int]:
    return {int(cells[0]) for cells in rows(text) if cells[0].isdecimal()}


def subclasses(cls: type[PortSyncError]) -> Iterator[type[PortSyncError]]:
    yield cls
    for below in cls.__subclasses__():
        yield from subclasses(below)


def test_the_table_of_classes_agrees_with_the_exit_codes_of_the_error_classes() -> None:
    in_python = sections(REFERENCE / "exit-codes.md")["In Python"]
    documented = {cells[0].strip("`"): int(cells[1]) for cells in rows(in_python)[1:]}
    classes = [cls for cls in subclasses(PortSyncError) if cls.__module__ == errors.__name__]
    assert documented == {cls.__name__: cls.exit_code for cls in classes}


def test_all_tables_of_exit_codes_and_the_help_name_the_same_codes() -> None:
    table = codes_of((REFERENCE / "exit-codes.md").read_text(encoding="utf-8").split("## In Python")[0])
    help_text = (portsync.help or "").split("Exit codes:")[1]
    assert table == {int(number) for number in re.findall(r"\d+", help_text)}
    assert table == codes_of(sections(ROOT / "README.md")["Exit codes"])
    assert table >= {cls.exit_code for cls in subclasses(PortSyncError)}


# Report


@cache
def header_of_the_report() -> str:
    out = io.StringIO()
    with redirect_stdout(out):
        print_report(Report("", "", 0.0, 0.0, 0, (ResourceReport(0, "/things"),)), Redactor())
    return " ".join(out.getvalue().splitlines()[0].split())


@pytest.mark.parametrize("page", [ROOT / "README.md", ROOT / "docs" / "tutorial.md", REFERENCE / "report.md"])
def test_the_reports_that_the_docs_show_have_the_columns_of_a_real_one(page: Path) -> None:
    shown = [" ".join(f.text.splitlines()[0].split()) for f in fences(page) if f.text.startswith("resource ")]
    assert shown
    assert set(shown) == {header_of_the_report()}


def test_every_field_of_the_json_report_is_explained_and_shown() -> None:
    page = REFERENCE / "report.md"
    report = Report("", "", 0.0, 0.0, 0, (ResourceReport(0, "/things"),))
    resource = json.loads(next(f.text for f in fences(page) if f.language == "json"))["resources"][0]
    explained = sections(page, 3)
    assert first_words(explained["The run"]) - {"deleted"} == set(report.as_json())
    assert first_words(explained["Resources"]) == set(resource)


# Pages


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub makes of a page's headings."""
    headings = re.findall(r"(?m)^#+ (.+)$", prose(page))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@each_page
def test_every_relative_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        if target.startswith(("https://", "http://")):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), target
        assert not anchor or anchor in anchors(file), target


@pytest.mark.parametrize("page", [page for page in PAGES if page.is_relative_to(ROOT / "docs")], ids=lambda p: p.name)
def test_every_page_can_be_reached_from_the_index_or_the_readme(page: Path) -> None:
    index = ROOT / "docs" / "index.md"
    starts = [index, index.parent / "library" / "index.md", ROOT / "README.md"]
    targets = {(s.parent / t.split("#")[0]).resolve() for s in starts for t in re.findall(r"\]\(([^)]+)\)", prose(s))}
    assert page == index or page in targets


def test_the_first_two_commands_of_the_readme_run_the_demo_and_the_tests() -> None:
    commands = [fence.text.strip() for fence in fences(ROOT / "README.md") if fence.language == "sh"]
    assert commands[:2] == ["./dev demo", "./dev test"]


def test_the_container_reads_the_mapping_where_the_docs_say() -> None:
    (place,) = re.findall(r"PORTSYNC_MAPPING=(\S+)", (ROOT / "Dockerfile").read_text(encoding="utf-8"))
    for page in (ROOT / "README.md", REFERENCE / "environment.md"):
        assert place in page.read_text(encoding="utf-8")


@each_page
def test_a_line_of_prose_holds_one_sentence(page: Path) -> None:
    for line in prose(page).splitlines():
        if not line.startswith("|"):
            assert not re.search(r"[a-z`)][.!?] [A-Z]", line), line
