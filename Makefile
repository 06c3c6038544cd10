# Everything here sets itself up: the first call makes .venv, later calls find it ready.
#
# PYTHON=…  picks the interpreter (else .ci/find-python looks for one)
# ARGS=…    is handed on to the program: make test ARGS="-k funnel", make report ARGS="--lang zh"

BIN := .venv/bin
PIP := $(BIN)/python -m pip

# Cached bytecode makes kernels start three times faster, so it is wanted here whatever the shell says.
unexport PYTHONDONTWRITEBYTECODE
# All installs go into one .venv: two at a time would trip over each other.
.NOTPARALLEL:

.PHONY: help report lab test truth alive kills damage lint format catalogue coverage lock clean remake
.DEFAULT_GOAL := help

help:  ## this list
	@echo "The playbook. What you can make:"
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' Makefile

report: .venv/runtime  ## the report of the demo shop, in reports/demo/
	@$(BIN)/playbook run demo $(ARGS)

lab: .venv/runtime  ## JupyterLab in notebooks/
	@cd notebooks && ../$(BIN)/jupyter lab $(ARGS)

test: .venv/dev  ## all tests but the slow ones of `make truth`
	@$(BIN)/pytest -n 3 --dist worksteal -m "not truth" $(ARGS)

kills: .venv/dev  ## kill thirty runs of the book and see that nothing is lost; ten minutes
	@$(BIN)/python benchmarks/kills.py $(ARGS)

damage: .venv/dev  ## thousands of damaged exports into ingest; EXAMPLES=… says how many
	@PLAYBOOK_DAMAGE=$(or $(EXAMPLES),2000) $(BIN)/pytest -m scale tests/data/test_damage.py $(ARGS)

truth: .venv/dev  ## what the methods find of what is planted in many demo worlds, as a table; minutes
	@$(BIN)/pytest -n 0 -m truth $(ARGS)

alive: .venv/dev  ## a page that shows the demo beside real shops: build/alive/index.html
	@$(BIN)/python tests/truth/alive.py $(ARGS)

lint: .venv/dev  ## style, formatting, types; notebooks must carry no outputs
	@$(BIN)/ruff check --quiet
	@$(BIN)/ruff format --check --quiet
	@$(BIN)/mypy --no-error-summary
	@$(call notebooks,$(BIN)/nbstripout --keep-id --verify)

format: .venv/dev  ## put code and notebooks in order
	@$(BIN)/ruff check --fix-only --quiet
	@$(BIN)/ruff format --quiet
	@$(call notebooks,$(BIN)/nbstripout --keep-id)

coverage: .venv/dev  ## which capabilities the book answers, by tags, the demo's last report, and tests
	@$(BIN)/python .ci/coverage.py $(ARGS)

catalogue: .venv/dev  ## new sentences into the catalogues of other languages
	@$(BIN)/python .ci/catalogue.py

lock: .venv/made-for  ## newest versions of everything into requirements.lock
	@$(call quietly,$(PIP) install uv)
	@$(BIN)/uv pip compile pyproject.toml --group setup --group dev --group benchmark --universal --python-version 3.12 \
		--quiet --no-annotate --no-header --no-emit-index-url > .venv/lock
	@# Markers go: as constraints the lines bind only where a package is wanted at all.
	@sed 's/ *;.*//' .venv/lock > requirements.lock

clean:  ## remove .venv and caches; data and reports stay
	rm -rf .venv build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} +

# --- Set-up ----------------------------------------------------------------------------------------

# The stamps in .venv tell what is done. They are void if the folder was moved, if its Python is gone or
# changed, or if the caller names another one.
VENV_OK := $(shell $(BIN)/python -c 'import pip' 2>/dev/null && { read -r home && read -r python; } < .venv/made-for \
	&& [ "$$home" = "$$(pwd -P)" ] \
	&& { [ -z '$(PYTHON)' ] || [ "$$python" = "$$(PYTHON='$(PYTHON)' .ci/find-python)" ]; } && echo yes)

.venv/made-for: $(if $(VENV_OK),,remake)
	@python=$$(.ci/find-python) && rm -rf .venv && mkdir .venv \
		&& echo "Setting up .venv with $$("$$python" -V) …" \
		&& $(call quietly,"$$python" -m venv .venv) \
		&& $(call quietly,$(PIP) install --constraint requirements.lock pip setuptools) \
		&& printf '%s\n' "$$(pwd -P)" "$$python" > $@

.venv/runtime: .venv/made-for pyproject.toml requirements.lock
	@echo "Installing the playbook and what it needs; this takes about a minute …"
	@$(call install,--editable .) && touch $@

# In one go with the runtime, which it includes: pip works the versions out only once.
.venv/dev: .venv/made-for pyproject.toml requirements.lock
	@echo "Installing the playbook with its development tools; this takes a minute or two …"
	@$(call install,--editable . --group dev) && touch .venv/runtime $@

# pip compiles on one core and tests of libraries too; compileall does what is needed, on all cores. It also
# meets templates that are no Python, so its verdict does not count.
install = $(call quietly,$(PIP) install --constraint requirements.lock --no-build-isolation --no-compile --quiet $(1)) \
	&& { $(BIN)/python -m compileall -qq -j 0 -x '/tests?/' .venv/lib playbook || true; }
quietly = { $(1) > .venv/log 2>&1 || { cat .venv/log >&2; exit 1; }; }
notebooks = [ ! -d notebooks ] || find notebooks -name .ipynb_checkpoints -prune -o -name '*.ipynb' -exec $(1) {} +
