# make demo · make test · make pipeline MUSIC=/path/to/music: each installs what it needs.
PYTHON ?= python3
VENV := $(if $(filter python3,$(PYTHON)),.venv,.venv-$(notdir $(PYTHON)))
RUN := $(VENV)/bin/python
WORKSPACE := .

# through the environment, so that a folder name may hold quotes
export MUSIC

.PHONY: help demo demo-open pipeline scripts test test-all test-deep lint clean browser FORCE

help:
	@echo 'make demo                        synthesise 52 songs, a mix and playlists, run 01 to 05 and 08'
	@echo 'make demo-open                   the same on openly licensed recordings (needs apt)'
	@echo 'make pipeline MUSIC=/your/music  the same on your own; ARGS="--labels tag" goes to 01, WORKSPACE=DIR'
	@echo 'make test                        the tests, with coverage;  PYTHON=python3.12 chooses the Python'
	@echo 'make test-all                    the slow tests too'
	@echo 'make test-deep                   the tests of networks; installs torch (requirements-deep.txt)'
	@echo 'make lint                        ruff check, ruff format, mypy'
	@echo 'make clean                       remove environments, caches and the demo workspaces'

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, this is " + sys.version.split()[0])'
	@# some systems ship python3 without ensurepip; virtualenv then makes the environment
	$(PYTHON) -m venv $(VENV) 2>/dev/null || { rm -rf $(VENV) && $(PYTHON) -m pip install -q --target $(VENV)-bootstrap virtualenv \
	  && PYTHONPATH=$(VENV)-bootstrap $(PYTHON) -m virtualenv -q $(VENV) && rm -rf $(VENV)-bootstrap; }

$(VENV)/.installed: requirements.txt | $(VENV)/bin/python
	$(RUN) -m pip install -q --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/.installed-dev: requirements-dev.txt requirements-cluster.txt $(VENV)/.installed
	$(RUN) -m pip install -q --disable-pip-version-check -r requirements-dev.txt -r requirements-cluster.txt
	@touch $@

# torch first: what is installed after it must not choose another build
$(VENV)/.installed-deep: requirements-deep.txt $(VENV)/.installed-dev
	$(RUN) -m pip install -q --disable-pip-version-check "$$(grep '^torch' requirements-deep.txt)"
	$(RUN) -m pip install -q --disable-pip-version-check -r requirements-deep.txt
	@touch $@

# The scripts on one workspace. 01 checks every song and leaves the manifest alone if nothing changed;
# then 02 and 03 have nothing to do. 02 comes after 03, so that its map can show the model's confidence.
sources = $(foreach ending,py html css js,$(wildcard $(addsuffix /*.$(ending),$(addprefix songmap/,$(1)))))
FLOORS := $(call sources,core library features)
MANIFEST := $(WORKSPACE)/data/processed/manifest.json
DRAWN := $(WORKSPACE)/outputs/.drawn
MODEL := $(WORKSPACE)/models/genre_classifier.json

$(MANIFEST): FORCE
	$(RUN) 01_feature_extraction.py --workspace $(WORKSPACE) $(if $(MUSIC),--music "$$MUSIC") $(ARGS)

$(DRAWN): $(MANIFEST) $(MODEL) 02_embedding_journey.py $(call sources,journey journey/views) $(FLOORS)
	$(RUN) 02_embedding_journey.py --workspace $(WORKSPACE)
	@touch $@

$(MODEL): $(MANIFEST) 03_genre_classifier.py $(call sources,genre genre/views) $(FLOORS)
	@# a library of one genre has no classifier: 03 reports that with status 2, and 04 works without
	$(RUN) 03_genre_classifier.py --workspace $(WORKSPACE) && touch $@ || test $$? = 2

FORCE:
scripts: $(DRAWN) $(MODEL)
	$(RUN) 04_similarity_search.py --workspace $(WORKSPACE) genres
	$(if $(RECORDING),$(RUN) 05_classify_recording.py --workspace $(WORKSPACE) $(RECORDING))
	$(if $(PLAYLISTS),$(RUN) -m songmap.demo.playlists $(WORKSPACE) && $(RUN) 08_song_communities.py --workspace $(WORKSPACE))
	@$(RUN) -m songmap.demo.guide $(WORKSPACE)

demo: $(VENV)/.installed
	$(RUN) -m songmap.demo.studio --out demo/data/raw
	$(RUN) -m songmap.demo.mix --out demo/mix.mp3
	@$(MAKE) --no-print-directory scripts WORKSPACE=demo ARGS=--segments RECORDING=demo/mix.mp3 PLAYLISTS=synthesised

demo-open: $(VENV)/.installed
	$(RUN) -m songmap.demo.open_music --out demo-open/data/raw
	@$(MAKE) --no-print-directory scripts WORKSPACE=demo-open ARGS=--segments PLAYLISTS=synthesised

pipeline: $(VENV)/.installed
	@test -n "$$MUSIC" || { echo 'make pipeline needs your music folder: make pipeline MUSIC=/path/to/music'; exit 2; }
	@$(MAKE) --no-print-directory scripts WORKSPACE="$(WORKSPACE)" ARGS='$(ARGS)'

# from Python 3.12 on coverage can be measured at nearly no cost
PYTEST = COVERAGE_CORE=$$($(RUN) -c 'import sys; print("sysmon" if sys.version_info >= (3, 12) else "ctrace")') \
  $(RUN) -m pytest --cov --cov-report=term

test: $(VENV)/.installed-dev browser
	$(PYTEST)

test-all: $(VENV)/.installed-dev browser
	$(PYTEST) -m ''

test-deep: $(VENV)/.installed-deep browser
	$(PYTEST) $$(grep -rl --include='*.py' 'importorskip("torch"' tests)

lint: $(VENV)/.installed-dev
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m mypy

# the page tests need Chromium; without it they are skipped
browser:
	@if ! command -v chromedriver >/dev/null && command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
	  { apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y chromium chromium-driver; } >/dev/null \
	  || echo 'Chromium could not be installed: the page tests will be skipped'; fi

clean:
	rm -rf .venv .venv-* demo demo-open build *.egg-info .coverage .pytest_cache .ruff_cache .mypy_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
