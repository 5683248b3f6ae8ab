"""Versions of the libraries whose numbers or files end up in artifacts."""

from importlib.metadata import version

LIBRARIES = ("numpy", "scipy", "pandas", "soundfile", "soxr", "av", "scikit-learn", "xgboost")


def library_versions() -> dict[str, str]:
    """Versions of the libraries whose numbers or files end up in artifacts."""
    return {name: version(name) for name in LIBRARIES}
