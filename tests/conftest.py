"""What tests of several folders share: one thread for linear algebra, a real browser for the pages."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

# Read when numpy is first imported. Tests run in as many processes as there are cores, and threads of all of them
# wait for each other: `evaluate` of 60 songs takes 0.4 s by one thread and up to 6 s then.
for library in ("OPENBLAS", "OMP", "MKL"):
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")

# Read when numba is first imported. Two processes that compile librosa's functions at the same time leave a mixture in its
# cache, and every later process that loads it crashes.
_CACHES = Path(__file__).parents[1] / ".pytest_cache" / "numba"
os.environ["NUMBA_CACHE_DIR"] = str(_CACHES / os.environ.get("PYTEST_XDIST_WORKER", "main"))


# the same examples in every run: a change is not blamed for what another draw finds, which benchmarks/fuzz.py looks for
hypothesis.settings.register_profile("same", derandomize=True)
hypothesis.settings.load_profile("same")


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[object]:
    """Headless Chromium that resolves no host, logs its console and its network; WebGL is drawn in software."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    chromedriver = shutil.which("chromedriver")
    if not chromium or not chromedriver:
        missing = "pages need chromium and chromedriver on PATH (Debian: chromium, chromium-driver)"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    profile: Path = tmp_path_factory.mktemp("chromium")
    for switch in (
        "headless=new", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-dev-shm-usage",
        "disable-background-networking", "disable-component-update", "disable-sync", "enable-unsafe-swiftshader",
        "host-resolver-rules=MAP * ~NOTFOUND", "window-size=1200,900", f"user-data-dir={profile}",
    ):  # fmt: skip
        options.add_argument(f"--{switch}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(chromedriver))
    yield driver
    driver.quit()


@pytest.fixture(scope="session", autouse=True)
def _wide():
    """Sentences and tables as wide as need be, so that what tests look for is in one line; some set other widths."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", "400")
        yield
