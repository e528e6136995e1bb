"""The pages and the program agree: the map names every file, the README's examples run."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from rag_edit.cli.main import app

ROOT = Path(__file__).parents[1]
PYTHON_BLOCK = re.compile(r"```python\n(.*?)```", re.DOTALL)
YAML_BLOCK = re.compile(r"```yaml\n(.*?)```", re.DOTALL)


def test_the_map_names_every_module_in_one_line() -> None:
    text = (ROOT / "docs/architecture.md").read_text("utf-8")
    named = set(re.findall(r"`([\w/]+\.py)`", text))
    there = {str(p.relative_to(ROOT / "rag_edit")) for p in (ROOT / "rag_edit").rglob("*.py") if p.name != "__init__.py"}
    assert sorted(there - named) == []
    assert sorted(n for n in named - there if not n.startswith(("scripts/", "tests/"))) == []


def test_every_decision_record_is_numbered_and_dated() -> None:
    pages = sorted((ROOT / "docs/adr").glob("*.md"))
    assert [int(page.name[:4]) for page in pages] == list(range(1, len(pages) + 1))
    assert all("Date: " in page.read_text("utf-8") and "## Consequences" in page.read_text("utf-8") for page in pages)


def test_links_between_pages_lead_somewhere() -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md"), ROOT / "knowledge/README.md"]
    broken = [
        f"{page.name}: {target}"
        for page in pages
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text("utf-8"))
        if "://" not in target and not (page.parent / target).exists()
    ]
    assert broken == []


@pytest.mark.model
@pytest.mark.parametrize("page", ["README.md", "docs/guide.md"])
def test_python_examples_run_one_after_another(page: str, tmp_path: Path) -> None:
    blocks = PYTHON_BLOCK.findall((ROOT / page).read_text("utf-8"))
    assert blocks
    done = subprocess.run([sys.executable, "-c", "\n".join(blocks)], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_readmes_record_can_be_planned(tmp_path: Path) -> None:
    block = YAML_BLOCK.findall((ROOT / "README.md").read_text("utf-8"))[0]
    (tmp_path / "corrections.yaml").write_text(block, "utf-8")
    for arguments in (["init"], ["plan", "--no-probes", str(tmp_path / "corrections.yaml")]):
        done = CliRunner().invoke(app, ["--home", str(tmp_path / "home"), *arguments])
        assert done.exit_code == 0, done.output
    assert "1 added" in done.stdout


def test_the_list_of_files_is_as_drawn() -> None:
    done = subprocess.run([sys.executable, "scripts/draw_map.py", "--check"], cwd=ROOT, check=False)
    assert done.returncode == 0, "run: make docs"
