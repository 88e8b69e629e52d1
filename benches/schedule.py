"""How well work is shared on real ranks: the figures of docs/scaling.md. Knows the program by its words and its JSON alone.

    cargo build && cargo build --release && python3 benches/schedule.py [--runs 5] [--ranks 2,4,8,16,32,64] [WHAT ...]

WHAT: `shared` (4 ranks on 2 cores: total against computing and start-up, waits), `slow` (a rank of a tenth of the speed),
`stopped` (a rank that stands still for 3 s), `ranks` (up to 64 ranks on this machine's cores), `schedules` (dynamic beside static).
All by default. Every figure is
the median of the runs, with the smallest and the largest.

The slow rank needs the build with debug assertions, which has a switch for it; its kernels are optimized as in a release.
Each case compares runs that take turns, since machines change their speed in minutes.
"""

import argparse
import json
import os
import pathlib
import signal
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
HYBRID = ROOT / "target/release/hybrid"
HYBRID_WITH_FAULTS = ROOT / "target/debug/hybrid"
IMAGE = ["--scale", "16", "--precision", "f64", "--device", "cpu"]
# The floor of a job: everything but computing.
TINY = ["--size", "64x64", "--device", "cpu"]
# About 10 s for two cores: long enough to stop a rank in its middle. Orbits in a Siegel disc, which neither escape nor repeat.
SIEGEL = ["--c=-0.390540870218399,-0.586787907346969", "--radius", "2", "--view=-0.4687,-0.2687,-0.4377,-0.2377"]
LONG = ["--size", "6000x4000", *SIEGEL, "--max-iter", "8000", "--device", "cpu"]
ENVIRONMENT = dict(os.environ, OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")


def rankfile(folder, ranks):
    """A rankfile with `ranks` ranks on the first two cores, in turn."""
    path = pathlib.Path(folder) / f"{ranks}.rankfile"
    path.write_text("".join(f"rank {rank}=localhost slot={rank % 2}\n" for rank in range(ranks)))
    return path


def start(folder, ranks, words, program=HYBRID, **environment):
    launch = ["mpiexec", "-n", str(ranks), "-rf", str(rankfile(folder, ranks))]
    words = [str(program), "julia", *words, "--timings", "json"]
    return subprocess.Popen(launch + words, cwd=folder, env=ENVIRONMENT | environment, stdout=subprocess.PIPE, text=True)


def report(job):
    output, _ = job.communicate()
    if job.returncode != 0:
        sys.exit(f"a job ended with {job.returncode}")
    return json.loads(output)


def busy_s(rank):
    return rank["compute_s"] + rank["encode_s"]


def told(name, values, unit="", scale=1):
    values = [value * scale for value in values]
    print(f"  {name:58} {statistics.median(values):8.3f} {unit:3} ({min(values):.3f} to {max(values):.3f})")


def shared(folder, runs):
    print("4 ranks on 2 cores, 10240 x 7680 px in f64")
    floors, cores, totals, waits = [], [], [], []
    for _ in range(runs):
        floors.append(report(start(folder, 4, TINY))["total_s"])
        two = report(start(folder, 2, IMAGE))
        cores.append(statistics.mean(busy_s(rank) for rank in two["ranks"]))
        four = report(start(folder, 4, IMAGE))
        totals.append(four["total_s"])
        waits += [rank["wait_s"] / busy_s(rank) for rank in four["ranks"]]
    told("start-up floor: a picture of 64 x 64 px", floors, "s")
    told("computing and encoding on both cores", cores, "s")
    told("total", totals, "s")
    told("total / (computing + floor)", [t / (c + f) for t, c, f in zip(totals, cores, floors)])
    told("wait of a rank / its computing and encoding", waits, "%", 100)


def slow(folder, runs):
    print("2 ranks on 2 cores, rank 1 slowed to a tenth, 40960 x 30720 px in f32")
    words = ["--scale", "64", "--precision", "f32", "--device", "cpu"]
    ratios = []
    for _ in range(runs):
        floor = report(start(folder, 2, TINY, HYBRID_WITH_FAULTS))["total_s"]
        alone = report(start(folder, 1, words, HYBRID_WITH_FAULTS))
        both = report(start(folder, 2, words, HYBRID_WITH_FAULTS, HYBRID_TEST_SLOW_RANK="1"))
        ratios.append(both["total_s"] / (floor + busy_s(alone["ranks"][0]) / 1.1))
    told("total / ideal, which is floor + computing alone / 1.1", ratios)


def stopped(folder, runs):
    print("2 ranks on 2 cores, rank 1 stopped for 3 s in a long picture")
    losses = []
    for _ in range(runs):
        whole = report(start(folder, 2, LONG))
        job = start(folder, 2, LONG)
        time.sleep(1.5)
        victim = int(subprocess.check_output(["pgrep", "-P", str(job.pid), "-x", "hybrid"], text=True).split()[1])
        os.kill(victim, signal.SIGSTOP)
        time.sleep(3)
        os.kill(victim, signal.SIGCONT)
        interrupted = report(job)
        # For 3 s one core computed instead of two: that much is lost whatever the schedule.
        losses.append(interrupted["total_s"] - (whole["total_s"] + 1.5))
    told("lost beyond the core's 1.5 s", losses, "s")


def many(folder, runs, numbers):
    print("ranks on 2 cores, 10240 x 7680 px in f64; total less the floor of as many ranks, against 2 ranks")
    for ranks in numbers:
        ratios, waits = [], []
        for _ in range(runs):
            nets = []
            for number in (2, ranks):
                floor = report(start(folder, number, TINY))["total_s"]
                job = report(start(folder, number, IMAGE))
                nets.append(job["total_s"] - floor)
            ratios.append(nets[1] / nets[0])
            waits.append(max(rank["wait_s"] for rank in job["ranks"]))
        told(f"{ranks} ranks / 2 ranks", ratios)
        told(f"{ranks} ranks, longest wait of any", waits, "s")


def schedules(folder, runs):
    print("2 ranks on 2 cores, 20480 x 15360 px in f64, by either schedule")
    words = ["--scale", "32", "--precision", "f64", "--device", "cpu"]
    for name, environment in (("equal ranks", {}), ("rank 1 slowed to a tenth", {"HYBRID_TEST_SLOW_RANK": "1"})):
        totals, waits = {}, {}
        for _ in range(runs):
            for schedule in ("dynamic", "static"):
                job = report(start(folder, 2, [*words, "--schedule", schedule], HYBRID_WITH_FAULTS, **environment))
                totals.setdefault(schedule, []).append(job["total_s"])
                waits.setdefault(schedule, []).append(max(rank["wait_s"] for rank in job["ranks"]))
        for schedule in ("dynamic", "static"):
            told(f"{name}, {schedule}: total", totals[schedule], "s")
            told(f"{name}, {schedule}: longest wait of a rank", waits[schedule], "s")
        told(f"{name}: static / dynamic", [s / d for s, d in zip(totals["static"], totals["dynamic"])])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--ranks", default="2,4,8,16,32,64")
    parser.add_argument("what", nargs="*", metavar="WHAT")
    options = parser.parse_args()
    cases = {
        "shared": lambda folder: shared(folder, options.runs),
        "slow": lambda folder: slow(folder, options.runs),
        "stopped": lambda folder: stopped(folder, options.runs),
        "schedules": lambda folder: schedules(folder, options.runs),
        "ranks": lambda folder: many(folder, options.runs, [int(number) for number in options.ranks.split(",")]),
    }
    unknown = set(options.what) - set(cases)
    if unknown:
        parser.error(f"no such case: {', '.join(sorted(unknown))}; there are {', '.join(cases)}")
    for name in options.what or cases:
        with tempfile.TemporaryDirectory() as folder:
            cases[name](folder)


if __name__ == "__main__":
    main()
