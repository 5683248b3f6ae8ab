"""03: which genre, how certain, and why: numbers in modules, results in ``results``, wording in ``views``."""
