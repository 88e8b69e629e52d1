"""Times the kernels beside what users would pick instead, on one core, in one run, and prints the ratios as markdown.

    python benches/peers/run.py [--core 1] [--rounds 5] [--scale 16] [--binary target/release/examples/kernel_time]

Needs numba and numpy, gcc, and the binary (`cargo build --release --example kernel_time`). All contestants take turns, and the
best of each counts. All are charged the processor time they use, not the time on the clock, so that what else runs on the
core does not lengthen it. Every picture of the others is compared with the tight loop's, pixel for pixel; ours are in the
conformance tests.
"""

import argparse
import ctypes
import os
import pathlib
import resource
import subprocess
import sys
import tempfile
import time

import numpy as np

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE))
import peers  # noqa: E402


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--core", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--scale", type=int, default=16, help="of the peers' picture; ours is always 16")
    parser.add_argument("--write", type=pathlib.Path, help="a file whose part between the marks gets the tables too")
    parser.add_argument("--binary", default=HERE.parents[1] / "target/release/examples/kernel_time")
    return parser.parse_args()


def c_library():
    target = pathlib.Path(tempfile.mkdtemp()) / "peers.so"
    flags = ["-O3", "-march=native", "-ffp-contract=off", "-shared", "-fPIC"]
    subprocess.run(["gcc", *flags, str(HERE / "peers.c"), "-o", str(target)], check=True)
    library = ctypes.CDLL(str(target))
    library.pi_hits.restype = ctypes.c_uint64
    library.pi_hits.argtypes = [ctypes.c_uint64]
    library.julia.restype = None
    library.julia.argtypes = [ctypes.c_int] * 2 + [ctypes.c_double] * 6 + [ctypes.c_int, ctypes.c_void_p]
    return library


def timed(function, *args):
    start = time.thread_time()
    function(*args)
    return time.thread_time() - start


def ours(binary, *words, runs):
    """A contestant that is a program of its own: charged the difference between many runs and one."""

    def processor_time(count):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        answer = subprocess.run([str(binary), *words, str(count)], capture_output=True, text=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return seconds, answer

    def run():
        """Work a second; None where this CPU lacks the instruction set."""
        once, answer = processor_time(1)
        if answer.returncode:
            return None
        many, answer = processor_time(1 + runs)
        return float(answer.stdout.split()[1]) * runs / (many - once)

    return run


def julia_contestants(library, binary, case, size, view, c, n0):
    reference = np.zeros(size[::-1], np.uint16)
    peers.julia_tight(*size, *view, c, n0, reference)
    work = int((n0 - reference.astype(np.int64)).sum())
    out = np.zeros_like(reference)

    def peer(name, function):
        def run():
            seconds = timed(function)
            wrong = int((out != reference).sum())
            if wrong:
                print(f"note: {name}: {wrong} of {out.size} pixels differ from the tight loop's", file=sys.stderr)
            return work / seconds

        return name, run

    contestants = dict(
        [
            peer("numba, tight loop", lambda: peers.julia_tight(*size, *view, c, n0, out)),
            peer("numba, the tutorial's kernel", lambda: peers.julia_tutorial(*size, *view, c, n0, out)),
            peer("numpy, 32-row blocks", lambda: peers.julia_numpy(*size, *view, c, n0, out)),
            peer("C, gcc -O3 -march=native", lambda: library.julia(*size, *view, c.real, c.imag, n0, out.ctypes.data)),
        ]
    )
    for isa in ("avx512", "avx2", "neon", "scalar"):
        for precision in ("f64", "f32"):
            contestants[f"hybrid {isa} {precision}"] = ours(binary, "julia", isa, precision, case, runs=4)
    return contestants


def pi_contestants(library, binary):
    darts = 1 << 22
    contestants = {
        "numpy, the tutorial's line": lambda: darts / timed(peers.pi_tutorial, darts),
        "numba, Mersenne twister": lambda: darts / timed(peers.pi_numba, darts),
        "numpy, PCG64 in blocks": lambda: darts / timed(peers.pi_numpy, darts),
        "C, xoshiro256++": lambda: darts / timed(library.pi_hits, darts),
    }
    for isa in ("avx512", "avx2", "neon", "scalar"):
        contestants[f"hybrid {isa}"] = ours(binary, "pi", isa, str(1 << 24), runs=20)
    return contestants


def table(title, unit, contestants, rounds, bases):
    """The best speed of each contestant in `rounds` turns, and its ratio to the `bases`, as lines of markdown."""
    for run in contestants.values():
        run()  # compiles, warms up
    best = {}
    for _ in range(rounds):
        for name, run in contestants.items():
            speed = run()
            if speed is not None:
                best[name] = max(speed, best.get(name, 0.0))
    lines = ["", f"{title}:", ""]
    lines.append("| program | G " + unit + "/s | " + " | ".join(f"x {base}" for base in bases) + " |")
    lines.append("|---|" + "---:|" * (len(bases) + 1))
    for name, speed in best.items():
        ratios = " | ".join(f"{speed / best[base]:.2f}" for base in bases)
        lines.append(f"| {name} | {speed / 1e9:.3f} | {ratios} |")
    print("\n".join(lines), flush=True)
    return lines


def put_between_marks(file, lines):
    begin, end = "<!-- peers: begin -->\n", "<!-- peers: end -->\n"
    text = file.read_text()
    head, rest = text.split(begin)
    _, tail = rest.split(end)
    file.write_text(head + begin + "\n".join(lines) + "\n\n" + end + tail)


def machine():
    """The processor and the day, since speeds are those of a machine."""
    model = next(line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name"))
    return f"{model}, {time.strftime('%Y-%m-%d')}"


def main():
    args = arguments()
    os.sched_setaffinity(0, {args.core})
    library = c_library()
    size = (640 * args.scale, 480 * args.scale)
    bases = ("numba, tight loop", "numba, the tutorial's kernel")
    picture = julia_contestants(library, args.binary, "picture", size, (-2.0, 2.0, -1.5, 1.5), 0.65j, 255)
    lines = ["", machine() + "."] + table("Julia, z*z + 0.65i, 255 counts, one core", "iterations", picture, args.rounds, bases)
    view = (-1.6, 1.6, -1.0, 1.0)
    long = julia_contestants(library, args.binary, "long", (1920, 1200), view, complex(-0.8, 0.156), 2001)
    lines += table("Julia, z*z - 0.8 + 0.156i, 2001 counts, one core", "iterations", long, args.rounds, bases)
    bases = ("numpy, the tutorial's line", "numba, Mersenne twister")
    lines += table("Pi, one core", "darts", pi_contestants(library, args.binary), args.rounds, bases)
    if args.write:
        put_between_marks(args.write, lines)


if __name__ == "__main__":
    main()
