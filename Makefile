# make demo   a small application with a Swift of its own, to try uploads with (DEMO_ARGS="--storage local --port 8000", or --storage s3);
#             EXAMPLE=flask_app, pyramid_app, bottle_app or django_app is the same with a framework
# make test   all tests, three files at a time since they mostly wait; TEST_ARGS="-k receipt" runs these, one at a time
# make mutations   takes defences out, one by one, and sees to it that tests fail without them (minutes)
# make lint   style and types
# make audit   looks up known vulnerabilities of what is installed; needs an advisory source on the network
# make docs   the documentation, into docs/_build/html
# make static   bundles the script into static/dist, which the distributions contain
# make package   build the source distribution and the wheel into dist/, and check them for a package index
# make screenshots   pictures of every state of the page, into docs/screenshots/taken
# make test-browsers   what a browser has to do, in Chromium, Firefox and WebKit
# make soak   200 uploads with faults at random (SOAK_ARGS="200 7": how many, and the seed)
# make sweep  a thousand uploads in every state, a sweep that is killed, and three at once (minutes)
# make test-keystone  a real Keystone, and Swift behind two proxies (installs it: minutes; not a part of make test)
# make test-rgw  S3 and Swift on a real Ceph RGW, whose packages it installs (99 packages, minutes; not a part of make test)
# make clean  removes everything that these made
#
# Each sets up what it needs, and does so once: stamp files in .venv remember it.
# With another Python: make test PYTHON=python3.13 VENV=.venv-3.13

VENV = .venv
BIN = $(VENV)/bin
PIP_INSTALL = -m pip install --quiet --disable-pip-version-check
# The first version that installs dependency groups.
PIP = pip>=25.1
NODE_PACKAGES = typescript@7.0.2 esbuild@0.28.2 axe-core@4.14.1 \
	@uppy/core@6.3.1 @uppy/dashboard@6.0.3 @uppy/aws-s3@6.3.1 @uppy/form@6.0.0 @uppy/golden-retriever@6.0.0 \
	tus-js-client@4.3.1 @rails/activestorage@8.1.301 vite@8.3.8 webpack@5.113.0 \
	@hotwired/turbo@8.0.23 htmx.org@4.0.1 htmx2@npm:htmx.org@2.0.11 alpinejs@3.17.5 \
	react@19.3.1 react-dom@19.3.1 @types/react@19.3.3 @types/react-dom@19.3.0
NODE_MODULES = $(VENV)/node/node_modules

export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: demo test lint audit docs static package screenshots soak test-browsers test-rgw clean browser nginx mutations more-browsers sweep ceph
.NOTPARALLEL:
.DELETE_ON_ERROR:

EXAMPLE = plain
demo: $(VENV)/$(if $(filter plain,$(EXAMPLE)),.demo,.examples)
	@$(BIN)/python -m examples.$(EXAMPLE) $(DEMO_ARGS)

test: $(VENV)/.test $(VENV)/.node static browser nginx old-swifts $(if $(TEST_ARGS),,test-rackspace)
	@NODE_PATH=$(CURDIR)/$(NODE_MODULES) $(BIN)/python -m pytest $(or $(TEST_ARGS),--numprocesses 3 --dist loadfile --no-loadscope-reorder)

mutations: $(VENV)/.test old-swifts
	@$(BIN)/python tests/security/mutate.py $(MUTATIONS)

lint: $(VENV)/.lint $(VENV)/.node
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(NODE_MODULES)/.bin/tsc --project static

audit: $(VENV)/.demo $(VENV)/.test
	@$(BIN)/python $(PIP_INSTALL) pip-audit
	@$(BIN)/python -m pip_audit --skip-editable

docs: $(VENV)/.docs
	$(BIN)/sphinx-build -W -q -b html docs docs/_build/html

static: static/dist/sources.sha256

SCRIPTS = $(filter-out static/dist/%,$(shell find static -name "*.js"))
static/dist/sources.sha256: static/bundle.mjs $(SCRIPTS) | $(VENV)/.test $(VENV)/.node
	@NODE_PATH=$(CURDIR)/$(NODE_MODULES) node static/bundle.mjs

package: $(VENV)/.test static
	rm -rf build dist
	$(BIN)/python -m build
	$(BIN)/python -m twine check --strict dist/*

test-browsers: $(VENV)/.test $(VENV)/.node static browser more-browsers
	@BROWSERS="chromium firefox webkit" NODE_PATH=$(CURDIR)/$(NODE_MODULES) \
		$(BIN)/python -m pytest tests/faults/test_browser_faults.py tests/script tests/frontends \
		tests/security/test_strict_pages.py $(TEST_ARGS)

test-rgw: $(VENV)/.test ceph
	@TEST_RGW=1 $(BIN)/python -m pytest tests/clouds/test_rgw*.py $(TEST_ARGS)

soak: $(VENV)/.test browser
	@$(BIN)/python tests/faults/soak.py $(SOAK_ARGS)

screenshots: $(VENV)/.test browser more-browsers
	@BROWSERS="chromium firefox webkit" $(BIN)/python docs/screenshots/take.py

sweep: $(VENV)/.test
	@SWEEP_ROUNDS=35 $(BIN)/python -m pytest tests/unit/storage/swift/test_sweep.py -k Many $(TEST_ARGS)

clean:
	rm -rf $(VENV) $(RACKSPACE) $(OLD_SWIFTS:%=$(VENV)-swift-%) $(KEYSTONE) build dist static/dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis docs/_build
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.made: .ci/python
	@test -x $(BIN)/python || "$${PYTHON:-$$(.ci/python)}" -m venv $(VENV)
	@touch $@

# Each needs some of the package's extras, and a dependency group of the project.
$(VENV)/.demo: INSTALL = --editable '.[demo]'
$(VENV)/.examples: INSTALL = --editable '.[demo]' --group examples
$(VENV)/.test: INSTALL = --editable '.[swift,s3,cli,sniff]' --group test
$(VENV)/.lint: INSTALL = --editable '.[cli,sniff]' --group lint
$(VENV)/.docs: INSTALL = --editable . --group docs

$(VENV)/.demo $(VENV)/.examples $(VENV)/.test $(VENV)/.lint $(VENV)/.docs: $(VENV)/.%: pyproject.toml setup.py $(VENV)/.made
	@echo "Installing what \"$*\" needs into $(VENV)"
	@$(BIN)/python $(PIP_INSTALL) '$(PIP)'
	@$(BIN)/python $(PIP_INSTALL) $(INSTALL)
	@touch $@

# After .test or .lint, which bring Node.
$(VENV)/.node: Makefile
	@npm install --silent --no-audit --no-fund --prefix $(VENV)/node $(NODE_PACKAGES)
	@touch $@

browser:
	@command -v chromium >/dev/null && command -v chromedriver >/dev/null || .ci/need chromium chromium-driver

nginx:
	@PATH="$$PATH:/usr/sbin" && command -v nginx >/dev/null || .ci/need nginx

ceph:
	@PATH="$$PATH:/usr/sbin" && command -v radosgw >/dev/null && command -v ceph-osd >/dev/null && \
		command -v ceph-mon >/dev/null || .ci/need radosgw ceph-mon ceph-osd ceph-common

more-browsers:
	@command -v firefox-esr >/dev/null || .ci/need firefox-esr
	@command -v WebKitWebDriver >/dev/null && command -v Xvfb >/dev/null && /usr/bin/python3 -c "import gi" || \
		.ci/need webkit2gtk-driver xvfb gir1.2-webkit2-4.1 python3-gi

include rackspace.mk
include clouds.mk
