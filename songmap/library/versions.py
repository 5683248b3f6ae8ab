"""Versions of the libraries whose numbers or files end up in artifacts."""

from importlib.metadata import PackageNotFoundError, version

ANALYSIS_LIBRARIES = ("numpy", "scipy", "soundfile", "soxr", "av")
"""What the numbers of an embedding come from: other versions may differ in their last bits."""

LIBRARIES = ("numpy", "scipy", "pandas", "soundfile", "soxr", "av", "scikit-learn", "xgboost")


def library_versions(names: tuple[str, ...] = LIBRARIES) -> dict[str, str]:
    """Versions of ``LIBRARIES``, or of others."""
    return {name: _version(name) for name in names}


def _version(name: str) -> str:
    """Of a library, or of its distribution for processors alone, as of XGBoost."""
    try:
        return version(name)
    except PackageNotFoundError:
        return version(f"{name}-cpu")
