//! The promise of [`super::julia::count`] beside Python's `abs(z) < radius`, tested where it is tight: at radii whose circle goes
//! through points of the grid. Python's `abs` is the C library's `hypot`, as is Rust's.

use super::julia::{Julia, count};

/// The count by `hypot`, and how near an orbit's points come to the circle at the nearest: |hypot(z) - radius| in units in the
/// last place of the radius.
fn by_hypot(mut x: f64, mut y: f64, julia: &Julia) -> (u16, f64) {
    let ulp = julia.radius.next_up() - julia.radius;
    let (mut n, mut nearest) = (julia.max_iter, f64::INFINITY);
    while n > 1 {
        let modulus = x.hypot(y);
        nearest = nearest.min((modulus - julia.radius).abs() / ulp);
        if modulus >= julia.radius {
            break;
        }
        (x, y) = (x * x - y * y + julia.c.0, x * y + y * x + julia.c.1);
        n -= 1;
    }
    (n, nearest)
}

/// Pixels whose counts differ, and all that come within four units in the last place of the circle.
fn compared(julia: &Julia) -> (usize, usize) {
    let (constants, columns) = (julia.constants::<f64>(), julia.columns());
    let (mut different, mut near) = (0, 0);
    for y in julia.lines(0..julia.height) {
        for &x in &columns {
            let (expected, nearest) = by_hypot(x, y, julia);
            let is_near = nearest <= 4.0;
            near += usize::from(is_near);
            if count(x, y, &constants) != expected {
                assert!(is_near, "{x} {y}: {nearest}");
                different += 1;
            }
        }
    }
    (different, near)
}

fn julia(radius: f64, size: (u32, u32), c: (f64, f64)) -> Julia {
    Julia { width: size.0, height: size.1, x: (-2.0, 2.0), y: (-1.5, 1.5), c, radius, max_iter: 255 }
}

#[test]
fn counts_differ_only_where_an_orbit_meets_the_circle_to_the_last_digits() {
    let different: usize =
        [0.7, 1.1, 1.3, 2.2].map(|radius| compared(&julia(radius, (400, 300), (0.0, 0.65))).0).iter().sum();
    assert!(different > 0, "the circles were chosen for their ties");
    compared(&julia(1.0, (400, 300), (0.0, 0.0)));
}

#[test]
fn the_default_picture_has_no_orbit_near_its_circle() {
    assert_eq!(compared(&julia(3.0, (640, 480), (0.0, 0.65))), (0, 0));
    assert_eq!(compared(&julia(3.0, (640, 480), (-0.8, 0.156))), (0, 0));
}
