"""What Python users would write: the tutorial's program, and the same work written for speed in numba and numpy."""

import numba
import numpy as np

JIT = {"nogil": True, "cache": False}


@numba.njit(**JIT)
def _tutorial_point(z, c, n):
    while abs(z) < 3 and n > 1:
        z = z**2 + c
        n -= 1
    return n


@numba.njit(**JIT)
def julia_tutorial(w, h, x0, x1, y0, y1, c, n, out):
    """The tutorial's kernel: complex numbers, abs and a power."""
    dx, dy = (x1 - x0) / w, (y1 - y0) / h
    for k in range(h):
        for j in range(w):
            out[k, j] = _tutorial_point(complex(x0 + j * dx, y1 - k * dy), c, n)


@numba.njit(**JIT)
def julia_tight(w, h, x0, x1, y0, y1, c, n0, out):
    """No root, no power, real arithmetic: the fastest plain loop."""
    dx, dy = (x1 - x0) / w, (y1 - y0) / h
    cr, ci = c.real, c.imag
    for k in range(h):
        for j in range(w):
            x, y, n = x0 + j * dx, y1 - k * dy, n0
            while n > 1:
                a, b = x * x, y * y
                if not a + b < 9.0:
                    break
                xy = x * y
                y = (xy + xy) + ci
                x = (a - b) + cr
                n -= 1
            out[k, j] = n


def julia_numpy(w, h, x0, x1, y0, y1, c, n0, out, rows=32):
    """Blocks of rows, real and imaginary parts apart, points dropped as they escape."""
    dx, dy = (x1 - x0) / w, (y1 - y0) / h
    xs = x0 + np.arange(w) * dx
    for top in range(0, h, rows):
        ys = y1 - np.arange(top, min(top + rows, h)) * dy
        x = np.tile(xs, len(ys))
        y = np.repeat(ys, w)
        where = np.arange(x.size)
        counts = np.full(x.size, n0, out.dtype)
        for n in range(n0, 1, -1):
            a, b = x * x, y * y
            alive = a + b < 9.0
            if not alive.all():
                counts[where[~alive]] = n
                where, a, b, x, y = where[alive], a[alive], b[alive], x[alive], y[alive]
                if not where.size:
                    break
            xy = x * y
            x, y = (a - b) + c.real, (xy + xy) + c.imag
        counts[where] = 1
        out[top : top + len(ys)] = counts.reshape(len(ys), w)


def pi_tutorial(darts):
    """The tutorial's line: an array of pairs, and the norm of each."""
    points = 2 * np.random.random((darts, 2)) - 1
    return int((np.linalg.norm(points, axis=1) <= 1).sum())


@numba.njit(**JIT)
def pi_numba(darts):
    """A loop over numba's generator (Mersenne twister)."""
    hits = 0
    for _ in range(darts):
        x, y = 2 * np.random.random() - 1, 2 * np.random.random() - 1
        hits += x * x + y * y <= 1
    return hits


def pi_numpy(darts, block=16384):
    """numpy's newer generator (PCG64), in blocks that stay in the cache."""
    generator = np.random.default_rng(7)
    hits = 0
    for start in range(0, darts, block):
        x, y = 2 * generator.random((2, min(block, darts - start))) - 1
        hits += int(np.count_nonzero(x * x + y * y <= 1))
    return hits
