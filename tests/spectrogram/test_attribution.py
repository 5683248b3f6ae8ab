"""Attributions add up to what they explain, and lie where the evidence is."""

import sys
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("captum")

from filtered import GENRES, a_network, some_excerpts  # noqa: E402

from songmap.core.errors import UsageError  # noqa: E402
from songmap.spectrogram import attribution  # noqa: E402
from songmap.spectrogram.attribution import TOLERANCE, attribute  # noqa: E402
from songmap.spectrogram.settings import TrainingSettings  # noqa: E402


@pytest.fixture(scope="module")
def excerpts():
    return some_excerpts("image", 4)


@pytest.fixture(scope="module")
def trained(excerpts):
    one = a_network("image", excerpts)
    with torch.no_grad():
        one.network.head.weight *= 500  # so that there is something to explain
    return one


def centred_logits(trained, x) -> np.ndarray:
    with torch.inference_mode():
        logits = trained.network(x)
    return (logits - logits.mean(dim=1, keepdim=True)).double().numpy()


def test_attributions_add_up_to_the_difference_of_the_logit(trained, excerpts):
    values = excerpts.values[:3]
    one = attribute(trained, values, GENRES[1])
    x = trained.inputs(values)
    expected = centred_logits(trained, x)[:, 1] - centred_logits(trained, torch.zeros_like(x[:1]))[:, 1]
    assert np.abs(expected).max() > 1
    np.testing.assert_allclose(one.logit_difference, expected, rtol=1e-4, atol=1e-5)
    assert one.values.shape == values.shape
    errors = np.abs(one.values.sum(axis=(1, 2)) - expected) / np.maximum(np.abs(expected), 1)
    assert errors.max() == pytest.approx(one.completeness_error, abs=1e-4)
    assert one.completeness_error <= TOLERANCE
    assert one.n_steps in attribution.STEPS
    other = attribute(trained, values, GENRES[0])  # of two genres, what speaks for one speaks against the other
    np.testing.assert_allclose(other.values, -one.values, atol=1e-3)


def test_more_steps_are_taken_while_the_error_is_above_the_tolerance(trained, excerpts, monkeypatch):
    monkeypatch.setattr(attribution, "STEPS", (1, 2, 48))
    assert attribute(trained, excerpts.values[:1], GENRES[0]).n_steps > 1
    monkeypatch.setattr(attribution, "TOLERANCE", np.inf)
    assert attribute(trained, excerpts.values[:1], GENRES[0]).n_steps == 1


def test_a_network_that_looks_at_one_band_is_explained_by_it(excerpts):
    trained = a_network("image", excerpts)

    class OneBand(torch.nn.Module):
        def forward(self, x):
            level = x[:, 30, 40:60].mean(dim=1)
            return torch.stack([level**3, -(level**3)], dim=1)

    one = attribute(replace(trained, network=OneBand()), excerpts.values, GENRES[0])
    outside = one.values.copy()
    outside[:, 30, 40:60] = 0
    assert not outside.any()
    x = trained.inputs(excerpts.values).numpy()
    np.testing.assert_allclose(one.values.sum(axis=(1, 2)), x[:, 30, 40:60].mean(axis=1) ** 3, rtol=0.06, atol=0.05)


def test_progress_counts_excerpts(trained, excerpts):
    calls = []
    attribute(trained, excerpts.values[:2], GENRES[0], lambda done, total: calls.append((done, total)))
    assert calls == [(1, 2), (2, 2)]


def test_cepstral_coefficients_have_no_frequencies(trained, excerpts):
    on_mfcc = replace(trained, settings=TrainingSettings(network="frames", input="mfcc"))
    with pytest.raises(UsageError, match="does not look at spectrograms"):
        attribute(on_mfcc, excerpts.values, GENRES[0])


def test_without_captum_a_line_says_what_to_install(trained, excerpts, monkeypatch):
    monkeypatch.setitem(sys.modules, "captum.attr", None)
    with pytest.raises(UsageError, match="pip install -r requirements-deep"):
        attribute(trained, excerpts.values[:1], GENRES[0])
