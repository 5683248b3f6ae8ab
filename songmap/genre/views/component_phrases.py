"""Phrases and sentences for principal components and their SHAP values, that several views share."""

from songmap.core.text import percent
from songmap.genre.candidates import CANDIDATES
from songmap.genre.component_attribution import STRONG
from songmap.genre.results import GenreReport
from songmap.genre.song_results import Component, ComponentTerm
from songmap.library.descriptors import DESCRIPTORS
from songmap.library.schema import N_COLUMNS, PITCH_CLASSES, block_slice

_IN_SAMPLE = (
    "SHAP values are changes of the model's margin towards a genre, of two genres the logarithm of the odds. They are "
    "in-sample, of songs that it was trained on: what it uses, not how well that holds for other songs."
)
_OCTAVES = (  # of spectral contrast, high where tones stand out of noise (Jiang et al. 2002)
    "below 200 Hz", "at 200–400 Hz", "at 400–800 Hz", "at 0.8–1.6 kHz", "at 1.6–3.2 kHz", "at 3.2–6.4 kHz",
    "above 6.4 kHz",
)  # fmt: skip


def _contrast(statistic: str, low: str, high: str) -> dict[str, tuple[str, str]]:
    """Phrases for the descriptors that are spectral contrast in an octave."""
    columns = range(N_COLUMNS)[block_slice("contrast", statistic)]
    names = {one.columns[0]: one.name for one in DESCRIPTORS if one.kind == "column"}
    return {
        names[column]: (f"{low} {octave}", f"{high} {octave}") for column, octave in zip(columns, _OCTAVES, strict=True)
    }


_COMPARATIVES = {  # of descriptors: what a low and what a high score means
    "spectral centroid": ("darker", "brighter"),
    "spectral centroid, std": ("steadier brightness", "more varied brightness"),
    "spectral roll-off, 85 %": ("less treble", "more treble"),
    "spectral roll-off, 85 %, std": ("steadier treble", "more varied treble"),
    "spectral bandwidth": ("narrower spectrum", "wider spectrum"),
    "spectral bandwidth, std": ("steadier width of the spectrum", "more varied width of the spectrum"),
    "spectral flatness": ("less noise", "more noise"),
    "spectral flatness, std": ("steadier noise", "more varied noise"),
    "zero-crossing rate": ("fewer zero crossings", "more zero crossings"),
    "tempo": ("slower", "faster"),
    "RMS": ("quieter", "louder"),
    "RMS, std": ("more even level", "more varied level"),
    "onset strength": ("softer onsets", "stronger onsets"),
    "onset strength, std": ("more even onsets", "more varied onsets"),
    "beat interval, std": ("steadier beat", "freer beat"),
    "pulse clarity": ("vaguer pulse", "clearer pulse"),
    "harmonic RMS": ("quieter tones", "louder tones"),
    "percussive RMS": ("less percussion", "more percussion"),
    **_contrast("mean", "more noise", "clearer tones"),
    **_contrast("std", "steadier sound", "more varied sound"),
    **{f"chroma {name}": (f"less of the note {name}", f"more of the note {name}") for name in PITCH_CLASSES},
    **{f"chroma {name}, std": (f"steadier note {name}", f"more varied note {name}") for name in PITCH_CLASSES},
}


def components_sentence(report: GenreReport) -> str:
    """Which model the components belong to, and which songs their SHAP values are of."""
    used, other = CANDIDATES[report.choice.model].title, CANDIDATES[report.component_model].title
    if report.component_model == report.choice.model:
        return f"Components of the model in use, {used}. {_IN_SAMPLE}"
    return (
        f"The model in use, {used}, has no components. These are of {other}, a candidate fitted on the same songs, which "
        f"takes no part in the predictions: principal components of all columns, and what each of them adds. {_IN_SAMPLE}"
    )


def components_heading(report: GenreReport) -> str:
    """Of the section on components and their SHAP values."""
    title = CANDIDATES[report.component_model].title
    return f"{title}: SHAP" if report.component_model == report.choice.model else f"{title}, a candidate: SHAP"


def components_title(report: GenreReport) -> str:
    """The model that components belong to, for a headline."""
    title = CANDIDATES[report.component_model].title
    return title if report.component_model == report.choice.model else f"{title} (not the model in use)"


def component_name(component: Component) -> str:
    """For example ``PC3 (8 %): higher level 2.1–5.0 kHz, darker``."""
    return f"{component_number(component)}: {component_terms(component)}"


def component_number(component: Component) -> str:
    """For example ``PC3 (8 %)``: the percentage is the component's share of the variance."""
    return f"PC{component.number} ({percent(component.variance_share)})"


def component_terms(component: Component) -> str:
    """What a positive score means."""
    return ", ".join(map(_term, component.terms))


def _term(term: ComponentTerm) -> str:
    """ "brighter", "lower level 2.0–2.6 kHz"; "slightly …" where the correlation is weak."""
    name, is_higher = term.descriptor, term.correlation > 0
    phrase = _COMPARATIVES[name][is_higher] if name in _COMPARATIVES else f"{'higher' if is_higher else 'lower'} {name}"
    return phrase if abs(term.correlation) >= STRONG else f"slightly {phrase}"
