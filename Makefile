# One script for everybody: the same targets run on a laptop and in CI.
# Every step prints the command that it runs.

.DEFAULT_GOAL := help
.PHONY: help install build lint rules unit doc test test-full ministack guards deny demo demo-keep bench

# Where cargo puts the binaries.
TARGET := $(or $(CARGO_TARGET_DIR),target)
# The demo's DNS: route53 (a stand-in for it), rfc2136 (BIND) or embedded (redrover's own name server).
DNS ?= route53

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo "  make demo DNS=embedded    the demo with redrover's own name server"
	@echo "  make demo DNS=rfc2136     the demo with BIND"

install: ## Install what tests and demo need (Debian, Ubuntu), or say what is missing
	scripts/install.sh

build: ## Build all programs
	cargo build --workspace --locked

lint: ## Check the format, and let clippy's warnings fail
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings

rules: ## Check and test the alert rules and the example configurations
	promtool check rules rules/*.yml
	promtool test rules rules/tests/*.yml
	promtool check config deploy/prometheus/prometheus.yml
	amtool check-config deploy/alertmanager/alertmanager.yml

# --all-targets turns on the features of the tests, so that the binaries that the tests start are built once, not twice.
unit: ## Unit, property, integration and doc tests
	cargo build --workspace --all-targets --locked
	cargo test --workspace --locked

# For the readers of this source, who see the private parts: links to them are welcome.
doc: ## Build the documentation, private parts included; warnings fail
	RUSTDOCFLAGS="-D warnings -A rustdoc::private_intra_doc_links" cargo doc --workspace --no-deps --document-private-items --locked

# One after the other, so that -j cannot mix their output, and the quickest first.
test: ## Everything that must hold: installs what is missing, then lint, rules, unit, doc
	$(MAKE) install
	$(MAKE) lint
	$(MAKE) rules
	$(MAKE) unit
	$(MAKE) doc

test-full: ## As test, with many more property cases, races and deaths, another Route 53, the release build's guards, and the licence check
	PROPTEST_CASES=10000 REDROVER_RACES=500 REDROVER_ROUTE53_RACES=10000 REDROVER_SAGAS=1000 REDROVER_KILLS=60 $(MAKE) test
	$(MAKE) ministack
	$(MAKE) guards
	$(MAKE) deny

ministack: ## Check the Route 53 provider against a stand-in from PyPI
	scripts/ministack.sh

guards: ## See that nothing switches a guard off in the release build
	scripts/guards.sh

deny: ## Check licences, bans and sources of the dependencies
	scripts/deny.sh

demo: install build ## See a failover with real servers on this machine
	$(TARGET)/debug/redrover demo --dns $(DNS)

demo-keep: install build ## As demo, and leave everything running until Ctrl-C
	$(TARGET)/debug/redrover demo --dns $(DNS) --keep

bench: ## Measure the figures
	benches/figures.sh
