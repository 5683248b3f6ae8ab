"""Sentences on what filters respond to, and on why a song was given its genre."""

from songmap.core.text import format_duration, hertz_range, joined, percent
from songmap.library.schema import PITCH_CLASSES
from songmap.spectrogram.filter_results import (
    BandReason,
    FilterDescription,
    LayerDescription,
    ProbeCorrelation,
    SongReasons,
)

PROBE_PHRASES = {
    **{f"pitch_class_{name.lower().replace('#', '_sharp')}": f"pitch class {name}" for name in PITCH_CLASSES},
    "minor_third": "minor thirds",
    "major_third": "major thirds",
    "fifth": "fifths",
    "octave": "octaves and partials",
    "vibrato": "vibrato, 4–8 Hz",
    "bass_level": "bass below 150 Hz",
    "kick_periodicity": "a beat of the bass, 100–160 BPM",
    "broadband_hits": "hits in all bands",
    "sustained": "sustained sound",
    "noisiness": "noise",
    "brightness": "brightness",
    "vocal_modulation": "changes at 3–8 Hz, as of syllables, in 300–3,400 Hz",
    "silence": "silence",
    "level": "loudness",
}
NO_MEANING = "no clear meaning"
_LEAST_POINTS = 0.05  # of a logit, for a band to be named


def probe_phrase(one: ProbeCorrelation) -> str:
    """ "vibrato, 4–8 Hz", or "absence of vibrato, 4–8 Hz"."""
    return f"{'absence of ' if one.correlation < 0 else ''}{PROBE_PHRASES[one.probe]}"


def decimals(value: float) -> str:
    """ "0.61", "−0.30"."""
    return f"{value:.2f}".replace("-", "−")


def correlation(value: float) -> str:
    """ "r = 0.61"."""
    return f"r = {decimals(value)}"


def filter_sentence(one: FilterDescription) -> str:
    """ "Filter 14: vibrato, 4–8 Hz (r = 0.61)"."""
    if one.meaning is None:
        return f"Filter {one.number}: {NO_MEANING}"
    return f"Filter {one.number}: {probe_phrase(one.meaning)} ({correlation(one.meaning.correlation)})"


def layer_sentence(layer: LayerDescription) -> str:
    """How many filters have a meaning, and the clearest."""
    described = [one for one in layer.filters if one.meaning is not None]
    total = f"{len(layer.filters)} filters of layer {layer.layer}"
    if not described:
        return f"None of the {total} has a clear meaning among {layer.n_probes} properties."
    verb = "responds to a property that has a name" if len(described) == 1 else "respond to properties that have names"
    return f"{len(described)} of the {total} {verb}. {filter_sentence(described[0])}."


def evidence_sentence(layer: LayerDescription) -> str:
    """What correlations are of."""
    return (
        f"Rank correlations of mean activation and property over {layer.n_excerpts:,} excerpts of {layer.n_songs} songs. "
        f"With the artists permuted {layer.n_permutations} times, the largest of all filters and {layer.n_probes} properties "
        f"is below {layer.largest_by_chance:.2f} in 95 %."
    )


def meaning_sentence(one: FilterDescription) -> str:
    """The evidence for a meaning, or what is nearest to one."""
    if one.meaning is not None:
        return (
            f"{_evidence(one.meaning)}; filters with random weights reach {one.meaning.untrained_limit:.2f}. "
            f"Synthesised sounds with and without it agree in {_pairs(one.meaning)}."
        )
    nearest = one.nearest[0]
    return f"Nearest: {probe_phrase(nearest)} ({_evidence(nearest)}; {_missing(nearest)})."


def others_sentence(one: FilterDescription) -> str:
    """The next probes, and filters that respond to the same excerpts."""
    used = one.meaning.probe if one.meaning is not None else one.nearest[0].probe
    probes = [f"{probe_phrase(other)} {decimals(other.correlation)}" for other in one.nearest if other.probe != used]
    filters = [f"{other.number} ({decimals(other.correlation)})" for other in one.similar]
    texts = [f"also: {joined(probes)}" if probes else "", f"similar filters: {joined(filters)}" if filters else ""]
    return "; ".join(filter(None, texts))


def reasons_sentence(reasons: SongReasons) -> str:
    """The genre, and the bands that speak for it most."""
    lead = f"{reasons.song.display_name}: {reasons.genre}, {percent(reasons.probabilities[reasons.genre])}"
    strongest = sorted(reasons.bands, key=lambda one: -one.attribution)[:2]
    named = [band_phrase(one) for one in strongest if one.attribution >= _LEAST_POINTS]
    return f"{lead}, most of all by {joined(named)}." if named else f"{lead}; no range of frequencies speaks for it."


def band_phrase(one: BandReason) -> str:
    """ "45–90 Hz (+1.2)"."""
    return f"{hertz_range(one.low_hz, one.high_hz)} ({signed(one.attribution)})"


def signed(value: float) -> str:
    """ "+1.2", "−0.3"."""
    return f"{value:+.1f}".replace("-", "−") if abs(value) >= 0.05 else "0.0"


def times_sentence(reasons: SongReasons) -> str:
    """The excerpts that speak for the genre most and least."""
    order = sorted(reasons.excerpts, key=lambda one: -one.attribution)
    most, least = order[0], order[-1]
    text = f"The time that speaks for {reasons.genre} most is {_span(most.start_s, most.end_s)} ({signed(most.attribution)})"
    return (
        f"{text}, least {_span(least.start_s, least.end_s)} ({signed(least.attribution)})."
        if len(order) > 1
        else f"{text}."
    )


def song_sentence(reasons: SongReasons) -> str:
    """The song was trained on; what the network without it says."""
    if reasons.out_of_fold_probability is None:
        return "The network was trained on this song too."
    share = percent(reasons.out_of_fold_probability)
    return f"The network was trained on this song too; one that was not gives {reasons.genre} {share}."


def completeness_sentence(reasons: SongReasons) -> str:
    """Whether attributions add up."""
    is_complete = reasons.completeness_error <= reasons.tolerance
    return (
        f"Integrated gradients of the logit of {reasons.genre}, from the mean sound of the training songs, "
        f"{reasons.n_steps} steps: attributions add up to {signed(reasons.attribution)} on average, "
        f"the logit's difference is {signed(reasons.logit_difference)}; the largest error is "
        f"{100 * reasons.completeness_error:.1f} %, {'within' if is_complete else 'above'} the tolerance of "
        f"{percent(reasons.tolerance)}."
    )


def _evidence(one: ProbeCorrelation) -> str:
    return (
        f"{correlation(one.correlation)}, p {'≤' if one.p_corrected < 0.01 else '='} {max(one.p_corrected, 0.01):.2f}"
    )


def _missing(one: ProbeCorrelation) -> str:
    """What a correlation lacks to be a meaning."""
    if abs(one.correlation) <= one.untrained_limit:
        return f"filters with random weights reach {one.untrained_limit:.2f}"
    if one.p_corrected > 0.05:
        return "it may be by chance"
    return f"synthesised sounds with and without it agree in {_pairs(one)} only"


def _pairs(one: ProbeCorrelation) -> str:
    return f"{one.n_pairs_agreeing:g} of {one.n_pairs} pairs"


def _span(start_s: float, end_s: float) -> str:
    return f"{format_duration(start_s)}–{format_duration(end_s)}"
