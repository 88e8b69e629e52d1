# `make demo` sets everything up and runs the main job; `make test` sets everything up and passes the tests.

.PHONY: demo build exercise test test-mpich test-launchers launchers-here test-gpu test-pages bench-peers bench-gpu guide arm64 setup setup-test setup-mpich clean

demo: build
	@.ci/demo

build: setup
	.ci/cargo build --release --locked

test: setup-test
	@.ci/test

# An exercise of the course: builds it, runs it with 1 to 4 ranks, and says what is wrong. Without N it lists them.
exercise:
	@.ci/cargo run --quiet --locked -p exercises -- $(N)

# The examples and exercises once more, built with MPICH and run by its launcher. Full names, since plain mpicc and mpiexec may be Open MPI's.
MPICH_TARGET = '$(or $(CARGO_TARGET_DIR),target)/mpich'
test-mpich: export MPICC := mpicc.mpich
test-mpich: export HYBRID_MPIEXEC := mpiexec.mpich
test-mpich: setup-mpich
	.ci/cargo build --locked --examples --target-dir $(MPICH_TARGET)
	.ci/cargo test --locked --test examples --test exercises --test new_crate --target-dir $(MPICH_TARGET)

# Every launcher that can be installed, over 200 plans made by chance each: in a fresh Debian, which takes Slurm's daemons with it
# when it ends. `make launchers-here` is what runs in there, for a system that may have them.
test-launchers:
	@.ci/setup fresh
	tests/fresh/run $(FRESH_OPTIONS) debian-12 launchers-here

launchers-here: export HYBRID_TEST_PLANS ?= 200
launchers-here: export HYBRID_TEST_SLURM := srun
# So many on an emulated machine, on which each takes ten seconds a launcher: HYBRID_TEST_EMULATED=200 takes two hours.
launchers-here: export HYBRID_TEST_EMULATED ?= 12
launchers-here: export HYBRID_TEST_INTEL_MPI = $(abspath $(or $(CARGO_TARGET_DIR),target))/venv-intel-mpi/bin/mpiexec
launchers-here:
	@.ci/setup launchers
	@.ci/test --test launchers -- --nocapture --test-threads 1

# The kernels against their definition and whole mixed jobs, on the first GPU in hardware instead of a software one. One test at a
# time: with four at once the process was ended by SIGSEGV there in 5 of 10 runs (driver 580), one at a time in none.
test-gpu: export HYBRID_TEST_GPU := hardware
test-gpu: setup-test
	.ci/cargo test --locked --test gpu_kernels --test images -- --test-threads 1

# The pages that this program writes and those of the guide, looked at by a browser on wide and on narrow screens.
test-pages: guide
	@.ci/setup pages
	@.ci/test --test pages -- --ignored

# The GPU's kernels beside the same arithmetic in CUDA, in one run: the tables of docs/performance.md. Says what is missing.
bench-gpu: setup
	.ci/cargo build --release --locked --example gpu_time
	benches/gpu/run --write docs/performance.md

# The CPU kernels beside what users would pick instead, on one core in one run: the tables of docs/performance.md.
bench-peers: export CARGO_TARGET_DIR := target
bench-peers: setup-test
	@.ci/setup peers
	.ci/cargo build --release --locked --example kernel_time
	target/venv-peers/bin/python benches/peers/run.py --write docs/performance.md

# The program for a Raspberry Pi or another arm64 machine, built on this one: target/aarch64-unknown-linux-gnu/release/hybrid.
# Natively, on the Pi itself, it is `make build`.
arm64:
	@.ci/setup arm64
	@.ci/arm64 build --release --locked

# The guide as a book: target/guide/index.html. Where mdBook is missing it is built, once, into target/mdbook.
MDBOOK = $(or $(shell command -v mdbook),target/mdbook/bin/mdbook)

guide: $(MDBOOK)
	@docs/guide/build $(MDBOOK)
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
