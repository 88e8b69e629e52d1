//! The numbers that kernels compute with. A kernel's arithmetic is written once over [`Number`]: with `f32` and `f64` it is the
//! definition, with vectors of them it is what a CPU runs. Knows no instruction set.

use std::{
    fmt::Debug,
    ops::{Add, Mul, Sub},
};

/// One number or a vector of them. Each operation rounds once, and nothing is contracted.
pub trait Number: Copy + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> {
    /// `(self + self) + addend`, as if in two operations: the first of them does not round.
    #[must_use]
    fn doubled_plus(self, addend: Self) -> Self;
}

/// A floating-point format a kernel can compute in: f32 or f64.
pub trait Real: Number + PartialOrd + Send + Sync + Debug + 'static {
    /// The rounding unit: an operation's result is wrong by this part of it at most.
    const UNIT: f64;

    /// The nearest value of this format.
    fn round(value: f64) -> Self;
}

impl Number for f32 {
    #[inline(always)]
    fn doubled_plus(self, addend: Self) -> Self {
        (self + self) + addend
    }
}

impl Number for f64 {
    #[inline(always)]
    fn doubled_plus(self, addend: Self) -> Self {
        (self + self) + addend
    }
}

impl Real for f32 {
    const UNIT: f64 = f32::EPSILON as f64 / 2.0;

    #[expect(clippy::cast_possible_truncation, reason = "rounding to the nearest f32 is what is asked for")]
    fn round(value: f64) -> Self {
        value as Self
    }
}

impl Real for f64 {
    const UNIT: f64 = f64::EPSILON / 2.0;

    fn round(value: f64) -> Self {
        value
    }
}

/// What may be added to a number.
pub trait Addend<N>: Copy {
    /// `number + self`.
    fn added_to(self, number: N) -> N;
}

impl<N: Number> Addend<N> for N {
    #[inline(always)]
    fn added_to(self, number: N) -> N {
        number + self
    }
}

/// A zero of either sign, whose addition to anything but -0 changes nothing and is left out.
#[derive(Clone, Copy, Debug)]
pub struct Zero;

impl<N: Number> Addend<N> for Zero {
    #[inline(always)]
    fn added_to(self, number: N) -> N {
        number
    }
}

/// A point of the complex plane, x + yi, or what else has two parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Point<X, Y = X> {
    /// Real part.
    pub x: X,
    /// Imaginary part.
    pub y: Y,
}

impl<N: Number> Point<N> {
    /// The squares of its parts.
    #[inline(always)]
    #[must_use]
    pub fn squares(self) -> Self {
        Self { x: self.x * self.x, y: self.y * self.y }
    }
}
