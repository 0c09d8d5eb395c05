"""The docs know everything there is: pages, commands, settings, tables; their links and pictures lead somewhere."""

import re
from pathlib import Path

import pytest

from docs import reference
from engine import api
from engine.cli.main import parser
from storage import Home, Store

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_reference_pages_are_current(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    for name, made in reference.PAGES.items():
        assert text(f"docs/{name}") == made(), f"docs/{name} is out of date: make docs"


def test_every_command_is_told() -> None:
    for name, _ in reference._commands(parser()):
        assert f"## {name}\n" in text("docs/cli.md")


def test_every_setting_and_choice_is_told() -> None:
    content = text("docs/settings.md")
    for one in (*api.settings(), *api.search_settings()):
        assert f"`{one.path}`" in content
    for table in (*api.TABLES.values(), api.DATASET_KINDS, api.PRESETS, api.SEARCH_PRESETS):
        for name in table:
            assert f"| `{name}` |" in content


def test_every_page_is_told() -> None:
    for path in (ROOT / "pages").glob("*/*.py"):
        if path.parent.name != "parts":
            assert f"`{path.relative_to(ROOT).as_posix()}`" in text("docs/pages.md")


def test_every_table_and_column_is_told(home: Home) -> None:
    content = text("docs/schema.md")
    with Store.open(home, migrate=True).reading() as db:
        for table in db.tables:
            if not table.name.startswith("_"):
                assert f"## {table.name}\n" in content
                section = content.split(f"## {table.name}\n")[1].split("\n## ")[0]
                for column in table.columns:
                    assert f"`{column.name}`" in section, f"{table.name}.{column.name}"


def test_every_variable_is_told() -> None:
    used = set()
    for room in ("engine", "storage", "web", "pages"):
        for path in (ROOT / room).rglob("*.py"):
            used |= set(re.findall(r'"(THAW_[A-Z_]+)"', path.read_text(encoding="utf-8")))
    marks = {"THAW_RUN", "THAW_LAUNCHER", "THAW_STOP", "THAW_GPUS", "THAW_FORMAT_FILE"}  # on processes, not settings
    for name in used - marks:
        assert f"`{name}`" in text("docs/guide.md"), name


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    content = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", content):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), target
    for target, anchor in re.findall(r"\]\(([^)#\s]*)#([^)]+)\)", content):
        if not target.startswith("http"):
            headings = (page.parent / target if target else page).read_text(encoding="utf-8")
            slugs = {_slug(heading) for heading in re.findall(r"^#+ (.+)$", headings, re.MULTILINE)}
            assert anchor in slugs, anchor


def test_no_picture_is_left_over() -> None:
    content = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    assert not [path.name for path in (ROOT / "docs" / "images").glob("*.png") if path.name not in content]


def _slug(heading: str) -> str:
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


def test_the_map_of_the_code_leads_to_files_that_are_there() -> None:
    told = re.findall(r"`((?:engine|pages|storage|web|app)\b[\w./]*)`", text("docs/architecture.md"))
    changes = text("docs/architecture.md").partition("## Where a change goes")[2]
    assert len(re.findall(r"^\| [a-z]", changes, re.MULTILINE)) >= 12
    assert len(told) > 40
    gone = [path for path in told if "/" in path and not path.endswith("...") and not (ROOT / path).exists()]
    assert not gone


def test_the_map_of_the_code_names_every_package() -> None:
    told = text("docs/architecture.md")
    packages = [path for room in ("engine", "pages/parts") for path in (ROOT / room).iterdir() if path.is_dir()]
    names = {path.relative_to(ROOT).as_posix() for path in packages if any(path.glob("*.py"))}
    shared = {name for name in names if name.startswith("pages/parts/")}
    assert not [name for name in names - shared if f"| `{name}` |" not in told]
    assert not [name for name in shared if name.removeprefix("pages/parts/") not in told]


def test_names_of_the_glossary_are_in_the_code() -> None:
    rows = re.findall(r"^\|[^|]+\|([^|]+)\|", text("docs/glossary.md"), re.MULTILINE)
    names = {name for row in rows for name in re.findall(r"`(?:\w+\.)*(\w+)`", row)}
    sources = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "engine").rglob("*.py"))
    sources += "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "storage").rglob("*.py"))
    folders = {path.stem for path in (ROOT / "engine").rglob("*")}
    assert len(names) > 30
    defined = r"(?m)^\s*(?:class |def )?{}\b(?:\(|:| =|\[)"
    gone = [name for name in names if name not in folders and not re.search(defined.format(re.escape(name)), sources)]
    assert not gone
