# The tests of Rackspace's storage need an environment of their own: pyrax and openstacksdk cannot live together.
# The private Swift that they use runs in the main one.

RACKSPACE = .venv-rackspace

.PHONY: test-rackspace

test-rackspace: $(RACKSPACE)/.test $(VENV)/.test
	@SWIFT_PYTHON=$(CURDIR)/$(BIN)/python $(RACKSPACE)/bin/python -m pytest tests/contract/rackspace

$(RACKSPACE)/.test: setup.py .ci/python
	@test -x $(RACKSPACE)/bin/python || "$$(.ci/python)" -m venv $(RACKSPACE)
	@echo "Installing direct-upload-middleware[rackspace,cli] into $(RACKSPACE); this takes a minute"
	@$(RACKSPACE)/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[rackspace,cli]' 'pytest>=8' 'webtest>=3'
	@touch $@
