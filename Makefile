# What a contributor runs. Rust and Go are all it needs: the Kubernetes programs are built with Go, once, into the
# user's cache folder (tests/support/tools.rs says where, and how to bring your own).

CARGO ?= cargo

.PHONY: help run demo test growth bench bench-instructions bench-write-path footprint compare docs manifests lint

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-18s %s\n", $$1, $$2}' Makefile

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

bench-instructions: ## instructions of a review, function by function, which do not depend on the machine; needs valgrind
	STEADYSET_BENCH_INSTRUCTIONS=1 $(CARGO) bench --locked --bench admission

bench-write-path: ## what admission adds to a create on a real API server, beside native policies
	$(CARGO) build --locked --release --bin steadyset
	$(CARGO) run --locked --quiet --example write-path -- $${CARGO_TARGET_DIR:-target}/release/steadyset

footprint: ## the size of the program, and the memory that it keeps at rest and in a large cluster
	$(CARGO) build --locked --release --bin steadyset
	$(CARGO) run --locked --quiet --example footprint -- $${CARGO_TARGET_DIR:-target}/release/steadyset

compare: ## how fast an audit of 10,000 sets is, beside other programs that judge manifests
	$(CARGO) build --locked --release --bin steadyset
	$(CARGO) run --locked --quiet --example compare -- $${CARGO_TARGET_DIR:-target}/release/steadyset

docs: ## the pages of docs/rules, from the rules themselves
	rm -f docs/rules/*.md
	$(CARGO) run --locked --quiet --bin steadyset -- explain --markdown docs/rules

manifests: ## the CRD of the chart from the types, manifests/install.yaml from the chart
	$(CARGO) run --locked --quiet --bin steadyset -- crd > manifests/steadyset/crds/statefulsetpolicies.yaml
	STEADYSET_WRITE_MANIFESTS=1 $(CARGO) test --locked --test cluster -- chart::install_yaml

lint: ## format, clippy, and what may come into the program
	$(CARGO) fmt --check
	$(CARGO) clippy --locked --all-targets -- -D warnings
	.ci/cargo-deny
