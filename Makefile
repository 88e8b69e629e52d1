# `make demo` sets everything up and runs the main job; `make test` sets everything up and passes the tests.

# Known when everything is built: where cargo has put the program, and a rankfile for the cores that this machine has.
HYBRID = $(eval HYBRID := $$(shell .ci/built))$(HYBRID)
RANKFILE ?= $(eval RANKFILE := $$(shell .ci/demo-rankfile '$$(HYBRID)'))$(RANKFILE)

# The picture is written here, or where nobody may, beside the program.
PICTURE = $(if $(shell test -w . && echo yes),julia.png,$(dir $(HYBRID))julia.png)

# Open MPI 4, which calls itself OpenRTE here, has -rf; 5 has not, and wants to be told that ranks may share a core.
MPIEXEC_VERSION = $(shell mpiexec --version 2>/dev/null | head -n 1)
WITH_RANKFILE = $(if $(findstring (OpenRTE) 4,$(MPIEXEC_VERSION)),-rf '$(RANKFILE)',$(if \
	$(findstring (Open MPI) 5,$(MPIEXEC_VERSION)),--map-by 'rankfile:file=$(RANKFILE)' --bind-to core:overload-allowed))

# Open MPI refuses to run as root, which containers and CI machines do, unless told twice.
ifeq ($(shell id -u),0)
export OMPI_ALLOW_RUN_AS_ROOT := 1
export OMPI_ALLOW_RUN_AS_ROOT_CONFIRM := 1
endif

.PHONY: demo build test test-mpich bench-peers guide setup setup-test setup-mpich clean

demo: build
	mpiexec -n 4 $(WITH_RANKFILE) '$(HYBRID)' julia --scale 3 -o '$(PICTURE)'

build: setup
	.ci/cargo build --release --locked

test: setup-test
	.ci/cargo test --locked

# The examples once more, built with MPICH and run by its launcher. Full names, since plain mpicc and mpiexec may be Open MPI's.
# Debian's MPICH 4.0.2 cannot spawn: "MPID_Comm_spawn_multiple(86): Error in spawn call", in C as well.
MPICH_TARGET = '$(or $(CARGO_TARGET_DIR),target)/mpich'
test-mpich: export MPICC := mpicc.mpich
test-mpich: export HYBRID_MPIEXEC := mpiexec.mpich
test-mpich: export HYBRID_EXCEPT := spawn
test-mpich: setup-mpich
	.ci/cargo build --locked --examples --target-dir $(MPICH_TARGET)
	.ci/cargo test --locked --test examples --target-dir $(MPICH_TARGET)

# The CPU kernels beside what users would pick instead, on one core in one run: the tables of docs/performance.md.
bench-peers: export CARGO_TARGET_DIR := target
bench-peers: setup-test
	@.ci/setup peers
	.ci/cargo build --release --locked --example kernel_time
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
	.ci/cargo install mdbook --locked --version '^0.5' --root target/mdbook

setup:
	@.ci/setup build

setup-test:
	@.ci/setup test

setup-mpich:
	@.ci/setup mpich

clean:
	.ci/cargo clean
	rm -f julia.png
