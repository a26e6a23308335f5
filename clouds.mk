# Old Swifts for tests/clouds, each in an environment of its own beside the main one. 2.29.0 is the oldest that runs on
# Python 3.11; 2.37.0 is of the last series whose temp URLs copy.

OLD_SWIFTS = 2.29.0 2.37.0
OLD_SWIFT_STAMPS = $(OLD_SWIFTS:%=$(VENV)-swift-%/.made)

.PHONY: old-swifts

old-swifts: $(OLD_SWIFT_STAMPS)

# Swift imports pkg_resources, which newer setuptools do not have.
$(OLD_SWIFT_STAMPS): $(VENV)-swift-%/.made: clouds.mk .ci/python
	@test -x $(VENV)-swift-$*/bin/python || "$${PYTHON:-$$(.ci/python)}" -m venv $(VENV)-swift-$*
	@echo "Installing Swift $* into $(VENV)-swift-$*"
	@$(VENV)-swift-$*/bin/python $(PIP_INSTALL) swift==$* itsdangerous 'setuptools<82'
	@touch $@

# A real Keystone, with a Swift beside its middleware. Not a part of "make test": the packages take minutes.
KEYSTONE = $(VENV)-keystone

.PHONY: test-keystone

test-keystone: $(VENV)/.test $(KEYSTONE)/.made
	@KEYSTONE_PYTHON=$(CURDIR)/$(KEYSTONE)/bin/python $(BIN)/python -m pytest tests/clouds/test_keystone.py $(TEST_ARGS)

$(KEYSTONE)/.made: clouds.mk .ci/python
	@test -x $(KEYSTONE)/bin/python || "$${PYTHON:-$$(.ci/python)}" -m venv $(KEYSTONE)
	@echo "Installing Keystone into $(KEYSTONE); this takes some minutes"
	@$(KEYSTONE)/bin/python $(PIP_INSTALL) 'keystone==30.*' 'keystonemiddleware==13.*' 'swift>=2.38.2' itsdangerous waitress 'setuptools<82'
	@touch $@
