"""Yes, no, or undecided: the rule.

Undecided: fewer songs in playlists, playlists or artists than below; one community with most of the songs; too few pairs
in a playlist together, or apart, in all spaces.
No: in every space, what counts is at most negligible, by the upper ends of intervals: AUC and, where there are clusters, AMI less
its mean with permuted artists, since an artist's songs, of one sound and in one playlist, raise AMI by themselves.
Yes: in some space, AUC or AMI is above chance, p ≤ 0.05 after Holm's correction over all that count; the answer rests on the
first such space.
Otherwise undecided too: nothing is above chance, and the intervals are too wide for a no.
"""

from collections.abc import Sequence

import numpy as np

from songmap.communities.agreement import LEVEL, PlaylistSongs
from songmap.communities.agreement_results import Conclusion, Reason, SpaceAgreement

MIN_SONGS, MIN_PLAYLISTS, MIN_ARTISTS = 20, 3, 8
MOST_SONGS = 0.8  # of the songs in communities; then hardly any contrast is left
NEGLIGIBLE_AUC = 0.556  # of two Gaussians 0.2 standard deviations apart, a small effect by Cohen
MEDIUM_AUC = 0.638  # 0.5 standard deviations, a medium effect; an agreement below it is called weak
NEGLIGIBLE_AMI = 0.1


def limits(songs: PlaylistSongs) -> list[Reason]:
    """What keeps songs and playlists from an answer in any space."""
    joined = songs.communities[songs.communities >= 0]
    n_songs, n_artists = len(joined), len(np.unique(songs.artists[songs.communities >= 0]))
    n_playlists = sum(len(rows) > 1 for rows in songs.playlists)
    few = (
        (Reason.FEW_SONGS, n_songs, MIN_SONGS),
        (Reason.FEW_PLAYLISTS, n_playlists, MIN_PLAYLISTS),
        (Reason.FEW_ARTISTS, n_artists, MIN_ARTISTS),
    )
    reasons = [reason for reason, number, least in few if number < least]
    if n_songs and np.bincount(joined).max() > MOST_SONGS * n_songs:
        reasons.append(Reason.ONE_COMMUNITY)
    return reasons


def conclude(spaces: Sequence[SpaceAgreement], reasons: Sequence[Reason]) -> tuple[Conclusion, str, list[Reason]]:
    """The conclusion, the space that it rests on, and why it is undecided."""
    first = spaces[0].space if spaces else ""
    if reasons:
        return Conclusion.CANNOT_TELL, first, list(reasons)
    able = [one for one in spaces if one.auc is not None]
    if not able:
        return Conclusion.CANNOT_TELL, first, [Reason.FEW_PAIRS]
    if all(_is_negligible(one) for one in able):
        return Conclusion.NO, able[0].space, []
    above = [one.space for one in able if one.p_holm <= LEVEL]
    if above:
        return Conclusion.YES, above[0], []
    return Conclusion.CANNOT_TELL, able[0].space, [Reason.UNCERTAIN]


def _is_negligible(space: SpaceAgreement) -> bool:
    has_clusters = Reason.NO_CLUSTERS not in space.reasons
    return (space.auc is None or space.auc.high <= NEGLIGIBLE_AUC) and (
        space.ami is None or not has_clusters or space.ami.high - space.ami.null_mean <= NEGLIGIBLE_AMI
    )
