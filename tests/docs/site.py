"""The documentation as a site: `./dev site [FOLDER]`, by default `build/site`.

The pages link to files of the repository around them, such as CONTRIBUTING.md; these come along. A link that leads
nowhere, and anything that a browser would load from elsewhere, ends the build.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
SECTIONS = {"guides": "Guides", "library": "Library", "reference": "Reference", "explanation": "Explanation"}
_BESIDE = ("CONTRIBUTING.md", "CHANGELOG.md")
"""Pages of the root that belong to the site."""
_LINK = re.compile(r"(?<=\]\()([^)#\s]+)(?=[)#])")
_FOREIGN = re.compile(r"""(?:<(?:script|img|iframe|source)[^>]*\ssrc|<link[^>]*\shref)=["']?(?:https?:)?//[^"'\s>]+""")


def main() -> None:
    """Build the site, or exit with what is wrong with it."""
    out = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "build" / "site"
    with tempfile.TemporaryDirectory() as folder:
        stage = Path(folder)
        staged(stage)
        built = subprocess.run(
            [Path(sys.executable).with_name("zensical"), "build", "--strict"],
            cwd=stage,
            env={**os.environ, "NO_COLOR": "1"},
            check=False,
            text=True,
            capture_output=True,
        )
        if built.returncode:
            warnings = built.stderr.partition("Traceback")[0] or built.stderr
            sys.exit(f"{built.stdout}{warnings}the site was not built")
        if foreign := foreign_loads(stage / "site"):
            sys.exit("the site would load from elsewhere:\n" + "\n".join(foreign))
        shutil.rmtree(out, ignore_errors=True)
        shutil.copytree(stage / "site", out)
    sys.stdout.write(f"{len(list(out.rglob('*.html')))} pages in {out}\n")


def staged(stage: Path) -> None:
    """Put what the site is made of into `stage`."""
    for page in sorted(DOCS.rglob("*")):
        if page.is_file():
            target = stage / "docs" / page.relative_to(DOCS)
            target.parent.mkdir(parents=True, exist_ok=True)
            if page.suffix == ".md":
                target.write_text(_with_what_it_links_to(page, stage), encoding="utf-8")
            else:
                shutil.copyfile(page, target)
    for name in _BESIDE:
        text = (ROOT / name).read_text(encoding="utf-8")
        (stage / "docs" / name).write_text(re.sub(r"(?<=\]\()docs/", "", text), encoding="utf-8")
    settings = (ROOT / "deploy" / "site" / "zensical.toml").read_text(encoding="utf-8")
    head, theme, rest = settings.partition("[project.theme]")
    (stage / "zensical.toml").write_text(f"{head}nav = {_toml(nav())}\n\n{theme}{rest}", encoding="utf-8")


def nav() -> list[dict[str, object]]:
    """All pages: the first ones, then a section for each folder, in the order in which docs/index.md names them."""
    index = (DOCS / "index.md").read_text(encoding="utf-8")
    named = [link for link in _LINK.findall(index) if link.endswith(".md")]
    pages = sorted(str(page.relative_to(DOCS)) for page in DOCS.rglob("*.md"))
    order = sorted(pages, key=lambda page: (named.index(page) if page in named else len(named), page))
    found: list[dict[str, object]] = [{"Home": "index.md"}, {"Tutorial": "tutorial.md"}]
    for folder, title in SECTIONS.items():
        below = [page for page in order if page.startswith(f"{folder}/")]
        if below:
            first = [page for page in below if page.endswith("/index.md")]
            found.append({title: [*first, *({_title(page): page} for page in below if page not in first)]})
    found.append(
        {
            "Change portsync": [
                {"Architecture": "architecture.md"},
                {"Contributing": "CONTRIBUTING.md"},
                {"Changelog": "CHANGELOG.md"},
            ]
        }
    )
    return found


def foreign_loads(site: Path) -> list[str]:
    """What the pages would make a browser load from elsewhere, each with its page."""
    return [
        f"{page.relative_to(site)}: {found}"
        for page in sorted(site.rglob("*.html"))
        for found in _FOREIGN.findall(page.read_text(encoding="utf-8"))
        if 'rel="canonical"' not in found
    ]


def _with_what_it_links_to(page: Path, stage: Path) -> str:
    """The page, its links to files outside of docs/ leading to copies of them."""

    def inside(match: re.Match[str]) -> str:
        link = match[1]
        target = (page.parent / link).resolve()
        if "://" in link or target.is_relative_to(DOCS) or not target.is_relative_to(ROOT) or not target.is_file():
            return link
        below = target.relative_to(ROOT)
        copy = stage / "docs" / below
        copy.parent.mkdir(parents=True, exist_ok=True)
        if target.name not in _BESIDE:
            shutil.copyfile(target, copy)
        return "../" * (len(page.relative_to(DOCS).parts) - 1) + str(below)

    return _LINK.sub(inside, page.read_text(encoding="utf-8"))


def _title(page: str) -> str:
    heading = re.search(r"(?m)^# (.+)$", (DOCS / page).read_text(encoding="utf-8"))
    assert heading is not None, f"{page} has no heading"
    return heading[1].replace("`", "")


def _toml(value: object) -> str:
    match value:
        case dict():
            return "{" + ", ".join(f"{json.dumps(key)} = {_toml(item)}" for key, item in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(_toml, value)) + "]"
        case _:
            return json.dumps(value, ensure_ascii=False)


if __name__ == "__main__":
    main()
