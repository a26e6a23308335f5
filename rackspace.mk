# The tests of Rackspace's storage need an environment of their own: pyrax and openstacksdk cannot live together.
# The private Swift that they use runs in the main one.

RACKSPACE = $(VENV)-rackspace

.PHONY: test-rackspace

test-rackspace: $(RACKSPACE)/.test $(VENV)/.test
	@SWIFT_PYTHON=$(CURDIR)/$(BIN)/python $(RACKSPACE)/bin/python -m pytest tests/contract/rackspace --numprocesses 2

$(RACKSPACE)/.test: pyproject.toml setup.py .ci/python
	@test -x $(RACKSPACE)/bin/python || "$${PYTHON:-$$(.ci/python)}" -m venv $(RACKSPACE)
	@echo "Installing direct-upload-middleware[rackspace,cli] into $(RACKSPACE); this takes a minute"
	@$(RACKSPACE)/bin/python $(PIP_INSTALL) '$(PIP)'
	@$(RACKSPACE)/bin/python $(PIP_INSTALL) --editable '.[rackspace,cli]' --group test-rackspace
	@touch $@
