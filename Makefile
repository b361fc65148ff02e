# What a contributor runs. Rust and Go are all it needs: the Kubernetes programs are built with Go, once, into the
# user's cache folder (tests/support/tools.rs says where, and how to bring your own).

CARGO ?= cargo

.PHONY: help run demo test growth bench docs manifests lint

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' Makefile

run: ## a control plane with the webhook in force, to try things on; Ctrl-C stops it
	$(CARGO) build --locked --bin steadyset --example run
	$(CARGO) run --locked --quiet --example run

demo: ## five real reports through the webhook, step by step
	$(CARGO) build --locked --bin steadyset --example demo
	$(CARGO) run --locked --quiet --example demo

test: ## everything
	$(CARGO) test --locked

growth: ## what a review costs as each list of a set grows, in instructions; needs valgrind
	STEADYSET_COUNT_INSTRUCTIONS=1 $(CARGO) test --locked --test growth

bench: ## the cost of a review over real TLS, beside the same server with an empty handler
	$(CARGO) bench --locked --bench admission

compare: ## how fast an audit of 10,000 sets is, beside other programs that judge manifests
	$(CARGO) build --locked --release --bin steadyset
	$(CARGO) run --locked --quiet --example compare -- $${CARGO_TARGET_DIR:-target}/release/steadyset

docs: ## the pages of docs/rules, from the rules themselves
	rm -f docs/rules/*.md
	$(CARGO) run --locked --quiet --bin steadyset -- explain --markdown docs/rules

manifests: ## the CRD of the chart from the types, manifests/install.yaml from the chart
	$(CARGO) run --locked --quiet --bin steadyset -- crd > manifests/steadyset/crds/statefulsetpolicies.yaml
	STEADYSET_WRITE_MANIFESTS=1 $(CARGO) test --locked --test cluster -- chart::install_yaml

lint: ## format, clippy, and cargo-deny where it is installed
	$(CARGO) fmt --check
	$(CARGO) clippy --locked --all-targets -- -D warnings
	@if $(CARGO) deny --version >/dev/null 2>&1; then $(CARGO) deny check; \
	else echo "cargo-deny is not installed: advisories, bans, licences and sources were not checked"; fi
