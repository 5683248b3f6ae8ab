"""What the figures of an evaluation mean, in sentences made of the figures alone. Accuracies are fractions 0 … 1."""

SIGNIFICANT = 0.05  # p values above it are taken for chance
_SMALL_GAP = 0.05
_FEW_GROUPS = 10  # intervals of fewer are rough
_ERRORS = 2  # standard errors that a leak must exceed


def gap_meaning(train_accuracy: float, cv_accuracy: float, p_value: float) -> str:
    told = f"Of the songs it learned from it gets {_percent(train_accuracy)} right, of others {_percent(cv_accuracy)}"
    if p_value > SIGNIFICANT:
        return f"{told}, which chance explains: what it learned holds for its own songs alone."
    if train_accuracy - cv_accuracy <= _SMALL_GAP:
        return f"{told}: it knows new songs about as well as its own."
    return f"{told}: {_points(train_accuracy - cv_accuracy)} are memory; of new songs expect the second figure."


def permutation_meaning(accuracy: float, chance: float, p_value: float, n_permutations: int, unit: str) -> str:
    hits = round(p_value * (1 + n_permutations)) - 1
    told = (
        f"Of {n_permutations:,} shufflings of the genres among {unit}s {hits or 'none'} reached {_percent(accuracy)} "
        f"(on average {_percent(chance)}), p = {p_value:.3f}"
    )
    if p_value > SIGNIFICANT:
        return f"{told}: it is not shown to be better than chance."
    return f"{told}: chance does not explain it."


def leakage_meaning(grouped: float, random: float, error: float, unit: str) -> str:
    """``error`` is the standard error of the difference; ``unit`` what grouped folds keep together."""
    if unit == "song":
        return "Songs are split one by one already, so what knowing an artist or album is worth cannot be measured."
    told = (
        f"Where songs of one {unit} stand on both sides it gets {_percent(random)} right, "
        f"where they are kept together {_percent(grouped)}"
    )
    if random - grouped > _ERRORS * error:
        return f"{told}: {_points(random - grouped)} come from knowing the {unit}s, not the genres."
    return f"{told}: within two standard errors of the difference ({_points(_ERRORS * error)}), so no leak shows."


def limits(
    title: str, n_songs: int, says_the_same: bool, p_value: float, test_accuracy: float, n_test_groups: int, unit: str
) -> list[str]:
    """Sentences on what the scores do not show, without their full stops."""
    found = []
    if says_the_same:
        found.append(f"{title} says the same of every song: its parameters are too strict for {n_songs} songs")
    elif p_value > SIGNIFICANT:
        found.append(f"{title} is not shown to be better than chance (p = {p_value:.2f}): take its answers for guesses")
    groups = f"{n_test_groups} {unit}s"
    if test_accuracy == 1:
        least = 0.05 ** (1 / n_test_groups)  # all right although each is wrong with 1 - least: 5 % (exact binomial)
        found.append(
            f"all test songs are right, so resampling them shows no spread; of {groups}, they leave an accuracy down to "
            f"{least:.2f} possible (95 %, exact binomial)"
        )
    elif n_test_groups < _FEW_GROUPS:
        found.append(f"the test songs are of {groups}: of so few, resampling gives rough intervals")
    return found


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _points(share: float) -> str:
    return f"{100 * share:.0f} {'point' if round(100 * share) == 1 else 'points'}"
