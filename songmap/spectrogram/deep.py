"""Whether the libraries are there that networks need, and that nothing else does."""

from songmap.core.errors import UsageError


def require_torch() -> None:
    """Raise UsageError, with what to install, unless torch and safetensors can be imported."""
    try:
        import safetensors  # noqa: F401
        import torch  # noqa: F401
    except (ImportError, OSError) as error:
        raise UsageError(
            f"networks need PyTorch ({error}); install it by: pip install -r requirements-deep.txt"
        ) from None
