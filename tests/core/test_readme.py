"""What the README states about the package is derived from the package. The 641 columns: tests/library/test_schema.py."""

import re

from songmap.core.workspace import REPOSITORY
from songmap.library.descriptors import N_DESCRIPTORS, descriptors_of
from songmap.library.schema import FAMILIES

README = (REPOSITORY / "README.md").read_text(encoding="utf-8")


def test_descriptors_by_family():
    section = README.split("## The 157 descriptors")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (\w+) \| (\d+) \|", section, re.MULTILINE)
    assert rows == [(family, str(len(descriptors_of(family)))) for family in FAMILIES]
    assert sum(int(number) for _, number in rows) == N_DESCRIPTORS == 157


def test_every_file_that_documents_name_exists():
    for name in ("README.md", "CONTRIBUTING.md", "docs/style.md", "docs/architecture.md"):
        document = REPOSITORY / name
        text = document.read_text(encoding="utf-8")
        linked = [document.parent / path for path in re.findall(r"\]\((?!http)([^)#]+)\)", text)]
        quoted = re.findall(r"`((?:songmap|tests|benchmarks|docs|examples)/[\w./]*\w/?)`", text)
        for path in [*linked, *(REPOSITORY / path for path in quoted if name != "docs/architecture.md")]:
            assert path.exists(), f"{name}: {path}"


def test_every_make_target_that_documents_name_exists():
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    named = set(re.findall(r"(?:^|`)make ([a-z-]+)", README, re.MULTILINE))
    assert {"demo", "demo-open", "test", "test-all", "pipeline", "lint"} <= targets
    assert named <= targets, named - targets


def test_every_option_in_the_readme_exists(capsys):
    """Of each script: the options in its synopsis are options of its parser."""
    from scripts import run_script

    for number in ("01", "02", "03", "04"):
        section = README.split(f"### {number} · ")[1].split("\n### ")[0].split("\n## ")[0]
        synopsis = " ".join(re.findall(rf"`({number}_\w+\.py [^`]+)`", section))
        shown = run_script(number, "--help").stdout
        for option in re.findall(r"--[a-z-]+", synopsis):
            assert option in shown, f"{number} {option}"
