// One iteration of the Mandelbrot set. Twin: `next` in src/kernel/mandelbrot.rs.

fn advance(z: Point, c: Point) -> Point {
    return square_plus(z, c);
}
