//! The promise of [`super::escape::count`] beside Python's `abs(z) < radius`, tested where it is tight: at radii whose circle goes
//! through points of the grid. Python's `abs` is the C library's `hypot`, as is Rust's.

use super::{
    escape::{Constants, EscapeTime, count},
    julia::Julia,
    picture::Picture,
};

/// The count by `hypot`, and how near an orbit's points come to the circle at the nearest: |hypot(z) - radius| in units in the
/// last place of the radius.
fn by_hypot(mut x: f64, mut y: f64, image: &Picture<Julia>) -> (u16, f64) {
    let ulp = image.radius.next_up() - image.radius;
    let (mut n, mut nearest) = (image.max_iter, f64::INFINITY);
    while n > 1 {
        let modulus = x.hypot(y);
        nearest = nearest.min((modulus - image.radius).abs() / ulp);
        if modulus >= image.radius {
            break;
        }
        (x, y) = (x * x - y * y + image.kernel.c.0, x * y + y * x + image.kernel.c.1);
        n -= 1;
    }
    (n, nearest)
}

/// Pixels whose counts differ, and all that come within four units in the last place of the circle.
fn compared(radius: f64, (width, height): (u32, u32), c: (f64, f64)) -> (usize, usize) {
    let image = Picture { width, height, radius, kernel: Julia { c }, ..Julia::PICTURE };
    let (constants, columns) = (Constants::<f64>::of(&image, image.kernel.fixed()), image.columns::<f64>());
    let (mut different, mut near) = (0, 0);
    for y in image.rows::<f64>(0..image.height) {
        for &x in &columns {
            let (expected, nearest) = by_hypot(x, y, &image);
            let is_near = nearest <= 4.0;
            near += usize::from(is_near);
            if count::<Julia, f64>(x, y, &constants) != expected {
                assert!(is_near, "{x} {y}: {nearest}");
                different += 1;
            }
        }
    }
    (different, near)
}

#[test]
fn counts_differ_only_where_an_orbit_meets_the_circle_to_the_last_digits() {
    let different: usize = [0.7, 1.1, 1.3, 2.2].map(|radius| compared(radius, (400, 300), (0.0, 0.65)).0).iter().sum();
    assert!(different > 0, "the circles were chosen for their ties");
    compared(1.0, (400, 300), (0.0, 0.0));
}

#[test]
fn the_default_picture_has_no_orbit_near_its_circle() {
    assert_eq!(compared(3.0, (640, 480), (0.0, 0.65)), (0, 0));
    assert_eq!(compared(3.0, (640, 480), (-0.8, 0.156)), (0, 0));
}
