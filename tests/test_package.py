"""The wheel: complete, with the dependencies of the requirements files, usable from any folder."""

import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

import songmap
from songmap.core.workspace import REPOSITORY

DATA = {".css", ".js", ".html", ".csv"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """Built from a copy, since setuptools leaves its work beside the sources; with no network."""
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in (
        "pyproject.toml",
        "README.md",
        "LICENSE",
        *(path.name for path in REPOSITORY.glob("requirements*.txt")),
    ):
        shutil.copy(REPOSITORY / name, source)
    shutil.copytree(REPOSITORY / "songmap", source / "songmap", ignore=shutil.ignore_patterns("__pycache__"))
    build = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--no-deps",
        "--no-build-isolation",
        "--no-index",
        "-q",
        "-w",
        out,
        source,
    ]
    subprocess.run(build, check=True, capture_output=True, timeout=300)
    (path,) = out.glob("*.whl")
    return path


def requirements(name: str) -> set[str]:
    """Lines of a requirements file as the wheel writes them: no spaces, specifiers sorted."""
    lines = (line.partition("#")[0].replace(" ", "") for line in (REPOSITORY / name).read_text().splitlines())
    return {normalised(line) for line in lines if line}


def normalised(requirement: str) -> str:
    requirement, _, marker = re.sub(r"[ ()]", "", requirement).replace("'", '"').partition(";")
    name, specifiers = re.fullmatch(r"([\w-]+)(.*)", requirement).groups()
    return f"{name}{','.join(sorted(specifiers.split(',')))};{marker}"


def metadata(wheel: Path):
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        return Parser().parsestr(archive.read(name).decode())


def test_the_wheel_holds_every_module_style_script_and_template(wheel):
    expected = {
        str(path.relative_to(REPOSITORY))
        for path in (REPOSITORY / "songmap").rglob("*")
        if path.suffix in DATA | {".py"} or path.name == "py.typed"
    }
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert names == expected
    assert {Path(name).suffix for name in names} >= DATA


def test_the_version_is_declared_once_and_follows_the_changelog(wheel):
    assert metadata(wheel)["Version"] == songmap.__version__
    changelog = (REPOSITORY / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(r"^## (\d+\.\d+\.\d+)", changelog, re.MULTILINE).group(1) == songmap.__version__
    assert f"version: {songmap.__version__}\n" in (REPOSITORY / "CITATION.cff").read_text(encoding="utf-8")


def test_dependencies_are_those_of_the_requirements_files(wheel):
    required = {"": set(), "cluster": set(), "deep": set(), "dev": set()}
    for line in metadata(wheel).get_all("Requires-Dist"):
        requirement, _, marker = line.partition(";")
        extra = re.search(r'extra == "(\w+)"', marker)
        platform = re.sub(r"""( and )?extra == "\w+\"""", "", marker)
        required[extra.group(1) if extra else ""].add(normalised(f"{requirement};{platform}"))
    cluster = requirements("requirements-cluster.txt")
    assert required[""] == requirements("requirements.txt")
    assert required["cluster"] == cluster
    assert required["deep"] == requirements("requirements-deep.txt")
    assert required["dev"] == requirements("requirements-dev.txt") | cluster


def test_every_dependency_has_a_lower_and_an_upper_bound():
    for path in REPOSITORY.glob("requirements*.txt"):
        for requirement in requirements(path.name):
            if requirement.startswith("torch=="):  # weights and sums are those of one version
                continue
            assert re.search(r">=.*", requirement), requirement
            assert re.search(r"<\d", requirement), requirement


def test_the_wheel_works_from_any_folder(wheel, tmp_path):
    site, elsewhere = tmp_path / "site", tmp_path / "elsewhere"
    elsewhere.mkdir()
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    program = """
import songmap
from pathlib import Path
from songmap.core.pages import render, source
from songmap.demo.open_music import catalogue
print(Path(songmap.__file__).parent)
print(render("core/page.html", title="a < b"))
for path in Path(songmap.__file__).parent.rglob("*"):
    if path.suffix in (".css", ".js"):
        assert source(str(path.relative_to(Path(songmap.__file__).parent)))
print(len(catalogue()), songmap.Workspace.default().root)
"""
    environment = {"PYTHONPATH": str(site), "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    result = subprocess.run(
        [sys.executable, "-c", program], cwd=elsewhere, env=environment, capture_output=True, text=True, timeout=60
    )
    assert result.returncode == 0, result.stderr
    lines = result.stdout.splitlines()
    assert lines[0] == str(site / "songmap")
    assert "<title>a &lt; b</title>" in result.stdout
    assert lines[-1] == f"73 {elsewhere}"


def test_pyproject_offers_the_extras_and_marks_slow_tests():
    settings = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    assert set(settings["tool"]["setuptools"]["dynamic"]["optional-dependencies"]) == {"cluster", "deep", "dev"}
    assert settings["project"]["requires-python"] == ">=3.11"
    assert "not slow" in settings["tool"]["pytest"]["ini_options"]["addopts"]
