"""Words that results and pages use, each with a definition in one line; the one place where they are defined."""

from difflib import get_close_matches

from songmap.core.text import normalise

GLOSSARY = {
    "family": "One of seven groups of descriptors: timbre, harmony, spectral, rhythm, energy, tonnetz and mel.",
    "hub": "A song that is among the nearest of very many others, more by its place in the space than by its sound.",
    "entropy": "How spread a prediction is over the genres: 0, one genre has all the probability; 1, all have the same.",
    "90 % set": "The genres among which the true one is for 90 of 100 songs like those trained on; several where unsure.",
    "descriptor": "One of 157 named numbers that songs are compared by, such as tempo or spectral centroid.",
    "similarity": "Cosine between two songs, -1 to 1: 1 the same sound, about 0 two songs of the library at random.",
    "space": "The numbers in which songs are compared, and their weights; `evaluate` compares the spaces.",
    "percentile": "The share of the library's songs, in %, that have a lower value.",
    "outlier": "A song that is similar to no other song of the library.",
    "precision": "Of the nearest songs, the share that have the same genre, artist or album.",
    "mutual proximity": "Similarity that counts how near each of two songs is to the other, which corrects for hubs.",
    "transition": "How well a song follows the one before, 0 to 1: by similarity, tempo and key.",
    "Camelot": "Keys as numbers of a wheel: the same, a neighbour, or A and B of one number mix well.",
    "BPM": "Beats per minute, the tempo; half and double of a tempo have beats that fall together.",
    "calibration": "Whether probabilities are reliable: of songs predicted with 80 %, 80 of 100 are right.",
    "centroid": "The mean frequency of the spectrum, weighted by level: high is a bright sound, low a dark one.",
    "MFCC": "Numbers for the shape of the spectrum, which is much of what timbre is.",
    "tonnetz": "Six numbers for harmony: where the chroma lies among fifths, minor and major thirds.",
    "chroma": "How strong each of the twelve pitch classes, C to B, is, in whatever octave.",
    "energy": "A family: the level. Of a playlist: the mean of two percentiles, of level and of onset strength.",
    "RMS": "Root mean square of the signal, which is its level.",
}


def term(text: str) -> str | None:
    """The word of the glossary that ``text`` names, also in the plural or with a typing error; None if there is none."""
    of_name = {normalise(word): word for word in GLOSSARY}
    wanted = normalise(text)
    for name in (wanted, wanted.removesuffix("s"), f"{wanted.removesuffix('ies')}y"):
        if name in of_name:
            return of_name[name]
    nearest = get_close_matches(wanted, of_name, 1, cutoff=0.8)
    return of_name[nearest[0]] if nearest else None
