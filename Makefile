# Every target sets the environment up first; a set-up environment costs a second.
.PHONY: setup format check test test-slow test-data coverage mutants thresholds bench results fuzz clean lock

setup:
	bash setup.sh

format: setup
	.venv/bin/ruff format .
	.venv/bin/ruff check --fix .

check: setup            ## what CI runs
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/pyright
	.venv/bin/pytest

test: setup
	.venv/bin/pytest

test-slow: setup
	HYPOTHESIS_PROFILE=fresh .venv/bin/pytest -m "slow and not data"

test-data: setup        ## TOCCO_TEST_DATA=FOLDER make test-data
	.venv/bin/pytest -m data

coverage: setup
	.venv/bin/pytest --cov=tocco --cov-report=term

mutants: setup          ## 300 seeded small faults; goes on where it stopped, hours on a busy machine
	.venv/bin/python benchmarks/mutation.py -o results/mutation --count 300 --seed 1

thresholds: setup       ## every constant of the rated paths, moved by a fifth
	.venv/bin/python benchmarks/mutation.py -o results/mutation/thresholds --thresholds

bench: setup
	.venv/bin/python benchmarks/assess.py -o results/benchmark

results: setup          ## results/RESULTS.md from the files of results/ and benchmarks/
	.venv/bin/python scripts/write_results.py

fuzz: setup             ## COUNT=10000 KIND=midi make fuzz
	.venv/bin/python benchmarks/fuzz.py --count $(or $(COUNT),200) $(if $(KIND),--kind $(KIND)) -o results/fuzz

clean:
	rm -rf .pytest_cache .ruff_cache .hypothesis dist report

lock:                   ## after a change of dependencies
	.venv/bin/uv pip compile --universal --all-extras --group dev --quiet --no-header --no-annotate \
		--python-version 3.11 --upgrade-package tocco --output-file constraints.txt pyproject.toml
	env -u UV_FIND_LINKS .venv/bin/uv lock
