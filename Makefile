# `make demo` sets everything up and runs the main job; `make test` sets everything up and passes the tests.

RANKFILE ?= rankfiles/laptop.rankfile
HYBRID := target/release/hybrid

# Open MPI refuses to run as root, which containers and CI machines do, unless told twice.
ifeq ($(shell id -u),0)
export OMPI_ALLOW_RUN_AS_ROOT := 1
export OMPI_ALLOW_RUN_AS_ROOT_CONFIRM := 1
endif

.PHONY: demo build test test-mpich bench-peers guide setup setup-test setup-mpich clean

# The program knows how each launcher is told to follow a rankfile.
demo: build
	@command=$$($(HYBRID) rankfile command "$(RANKFILE)" -- $(HYBRID) julia --scale 3) && echo "$$command" && eval "$$command"

build: setup
	cargo build --release --locked

# Tests that need a launcher which is not here say so, and are listed at the end.
NOT_RUN := target/tmp/not-run

test: setup-test
	@rm -f $(NOT_RUN)
	@echo "cargo test --locked"; cargo test --locked; code=$$?; \
	if [ -s $(NOT_RUN) ]; then echo "not run here:"; sort -u $(NOT_RUN); fi; exit $$code

# The examples once more, built with MPICH and run by its launcher. Full names, since plain mpicc and mpiexec may be Open MPI's.
# Debian's MPICH 4.0.2 cannot spawn: "MPID_Comm_spawn_multiple(86): Error in spawn call", in C as well.
test-mpich: export MPICC := mpicc.mpich
test-mpich: export HYBRID_MPIEXEC := mpiexec.mpich
test-mpich: export CARGO_TARGET_DIR := target/mpich
test-mpich: export HYBRID_EXCEPT := spawn
test-mpich: setup-mpich
	cargo build --locked --examples
	cargo test --locked --test examples

# The CPU kernels beside what users would pick instead, on one core in one run: the tables of docs/performance.md.
bench-peers: setup-test
	@.ci/setup peers
	cargo build --release --locked --example kernel_time
	target/venv-peers/bin/python benches/peers/run.py --write docs/performance.md

# The guide as a book: target/guide/index.html. A warning of mdBook's is a mistake in the guide. Where mdBook is missing it is
# built, once, into target/mdbook.
MDBOOK = $(or $(shell command -v mdbook),target/mdbook/bin/mdbook)

guide: $(MDBOOK)
	@mkdir -p target
	@$(MDBOOK) build docs/guide >target/guide.log 2>&1 || { cat target/guide.log >&2; exit 1; }
	@if grep -E 'WARN|ERROR' target/guide.log >&2; then exit 1; fi
	@echo "the guide is in target/guide/index.html"

target/mdbook/bin/mdbook:
	cargo install mdbook --locked --version '^0.5' --root target/mdbook

setup:
	@.ci/setup build

setup-test: setup
	@.ci/setup test

setup-mpich: setup-test
	@.ci/setup mpich

clean:
	cargo clean
	rm -f julia.png
