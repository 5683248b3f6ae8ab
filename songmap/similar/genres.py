"""Genres compared; see ``songmap.library.genre_similarity``."""

from songmap.library.genre_similarity import GenreSimilarity, genre_similarity

__all__ = ["GenreSimilarity", "genre_similarity"]
