"""Versions that artifacts carry."""

import numpy
import xgboost

from songmap.library.versions import LIBRARIES, library_versions


def test_versions_are_those_of_the_modules_whatever_distribution_they_come_from():
    found = library_versions()
    assert list(found) == list(LIBRARIES)
    assert (found["numpy"], found["xgboost"]) == (numpy.__version__, xgboost.__version__)
