// One iteration of the Julia set of z*z + c. Twin: `next` in src/kernel/julia.rs.

fn advance(z: Point, c: Point) -> Point {
    return square_plus(z, c);
}
