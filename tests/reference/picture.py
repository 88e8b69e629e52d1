"""A picture by numpy and matplotlib, to compare a PNG with: shares no code with the program.

    picture.py PNG --size WxH [--kernel julia|mandelbrot] [--c RE,IM] [--view X0,X1,Y0,Y1] [--max-iter N] [--radius R]
               [--precision f32|f64] [--color NAME] [--color-scale linear|log]

Prints how many pixels differ and ends with 1 where any does.
"""
import argparse
import io
import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.image
import numpy as np


def counts(width, height, c, view, limit, radius, real):
    """Escape counts, rows from the top; without c each pixel is the c of an orbit that starts at 0. Real and imaginary parts are kept apart: numpy's complex product may be fused."""
    x0, x1, y0, y1 = view
    dx, dy = (x1 - x0) / width, (y1 - y0) / height
    xs = np.array([x0 + j * dx for j in range(width)]).astype(real)
    ys = np.array([y1 - k * dy for k in range(height)]).astype(real)
    radius2, two = real(radius * radius), real(2)
    image = np.empty((height, width), dtype=np.int64)
    with np.errstate(all="ignore"):
        for k in range(height):
            x, y = xs.copy(), np.full(width, ys[k])
            if c:
                re, im = np.full(width, real(c[0])), np.full(width, real(c[1]))
            else:
                (re, im), (x, y) = (x, y), (np.zeros(width, real), np.zeros(width, real))
            left = np.full(width, limit)
            alive = np.arange(width)
            for step in range(limit - 1):
                inside = x * x + y * y < radius2
                if not inside.all():
                    left[alive[~inside]] = limit - step
                    alive, x, y, re, im = (values[inside] for values in (alive, x, y, re, im))
                    if not alive.size:
                        break
                x, y = (x * x - y * y) + re, two * (x * y) + im
            left[alive] = 1
            image[k] = left
    return image


def picture(image, limit, color, scale):
    """RGB pixels as matplotlib writes them: over the image's own range, above 256 iterations over 1..limit; or by the logarithm of
    the iterations, limit - count, and one."""
    if scale == "log":
        image = 1 - np.log(limit - image + 1) / np.log(limit)
        fixed = dict(vmin=0, vmax=1)
    else:
        fixed = dict(vmin=1, vmax=limit) if limit > 256 else {}
    file = io.BytesIO()
    matplotlib.image.imsave(file, image, cmap={"grey": "gray"}.get(color, color), format="png", **fixed)
    file.seek(0)
    return pixels(file)


def pixels(file):
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = None
    return np.asarray(Image.open(file).convert("RGB"))


def main():
    numbers = lambda text: [float(number) for number in text.split(",")]
    parser = argparse.ArgumentParser()
    parser.add_argument("png")
    parser.add_argument("--size", type=lambda text: [int(side) for side in text.split("x")], required=True)
    parser.add_argument("--kernel", choices=["julia", "mandelbrot"], default="julia")
    parser.add_argument("--c", type=numbers, default=[0, 0.65])
    parser.add_argument("--view", type=numbers)
    parser.add_argument("--max-iter", type=int, default=255)
    parser.add_argument("--radius", type=float, default=3)
    parser.add_argument("--precision", choices=["f32", "f64"], default="f64")
    parser.add_argument("--color", default="viridis")
    parser.add_argument("--color-scale", choices=["linear", "log"])
    args = parser.parse_args()
    real = {"f32": np.float32, "f64": np.float64}[args.precision]
    c, view = {"julia": (args.c, [-2, 2, -1.5, 1.5]), "mandelbrot": (None, [-2.5, 1.5, -1.5, 1.5])}[args.kernel]
    scale = args.color_scale or ("log" if args.max_iter > 256 else "linear")
    image = counts(*args.size, c, args.view or view, args.max_iter, args.radius, real)
    expected = picture(image, args.max_iter, args.color, scale)
    found = pixels(args.png)
    if expected.shape != found.shape:
        sys.exit(f"{found.shape[1]} x {found.shape[0]} pixels found, {expected.shape[1]} x {expected.shape[0]} expected")
    different = int((expected != found).any(axis=2).sum())
    print(f"{different} of {expected.shape[0] * expected.shape[1]} pixels differ")
    sys.exit(different > 0)


if __name__ == "__main__":
    main()
