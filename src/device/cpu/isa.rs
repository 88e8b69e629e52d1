//! The instruction sets the CPU kernels are written for: which this CPU has, and which one a run uses.
//!
//! The choice is made once, from the CPU or from `HYBRID_SIMD`. Every set gives the same results; the variable is there
//! to test and to time them. Knows nothing of the kernels.

use std::fmt;

use fearless_simd::Level;

/// The environment variable that forces an instruction set.
pub const VARIABLE: &str = "HYBRID_SIMD";

/// An instruction set, named as in [`VARIABLE`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Isa {
    /// 512-bit vectors and mask registers, with all that Ice Lake has: also Zen 4 and 5 and later. (Where an operating
    /// system hides one of these features, RDSEED on some Zen 5 for one, the CPU counts as having [`Isa::Avx2`] only.)
    Avx512,
    /// 256-bit vectors with fused multiply-add (x86-64-v3).
    Avx2,
    /// 128-bit vectors of 64-bit Arm.
    Neon,
    /// What the compiler makes of plain loops for the oldest CPU of the architecture.
    Scalar,
}

impl Isa {
    /// All of them, fastest first.
    pub const ALL: [Self; 4] = [Self::Avx512, Self::Avx2, Self::Neon, Self::Scalar];

    /// Its name, as the variable spells it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Avx512 => "avx512",
            Self::Avx2 => "avx2",
            Self::Neon => "neon",
            Self::Scalar => "scalar",
        }
    }

    /// Those this CPU has, fastest first. The last is always [`Isa::Scalar`].
    #[must_use]
    pub fn available() -> Vec<Self> {
        Self::ALL.into_iter().filter(|isa| isa.is_available()).collect()
    }

    fn is_available(self) -> bool {
        let level = Level::new();
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => level.as_avx512().is_some(),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => level.as_avx2().is_some(),
            #[cfg(target_arch = "aarch64")]
            Self::Neon => level.as_neon().is_some(),
            Self::Scalar => true,
            #[allow(unreachable_patterns, reason = "which arms are left depends on the architecture")]
            _ => false,
        }
    }

    /// The set a run uses: the one `forced` names, else the fastest of `available`.
    ///
    /// `forced` is the value of [`VARIABLE`], if it is set; an empty value counts as not set.
    ///
    /// # Errors
    /// A line for the user where `forced` names no instruction set or one that is not in `available`.
    pub fn choose(forced: Option<&str>, available: &[Self]) -> Result<Self, String> {
        let Some(name) = forced.filter(|name| !name.is_empty()) else {
            return Ok(available.first().copied().unwrap_or(Self::Scalar));
        };
        let has = available.iter().map(|isa| isa.name()).collect::<Vec<_>>().join(", ");
        match Self::ALL.into_iter().find(|isa| isa.name() == name) {
            Some(isa) if available.contains(&isa) => Ok(isa),
            Some(_) => Err(format!(
                "{VARIABLE}={name}: this CPU lacks {name}, it has {has}: set {VARIABLE} to one of these or unset it"
            )),
            None => Err(format!(
                "{VARIABLE}={name} names no instruction set, this CPU has {has}: set {VARIABLE} to one of these or unset it"
            )),
        }
    }
}

impl fmt::Display for Isa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD_X86: [Isa; 2] = [Isa::Avx2, Isa::Scalar];

    #[test]
    fn without_the_variable_the_fastest_is_chosen() {
        assert_eq!(Isa::choose(None, &OLD_X86), Ok(Isa::Avx2));
        assert_eq!(Isa::choose(Some(""), &OLD_X86), Ok(Isa::Avx2));
    }

    #[test]
    fn the_variable_forces_a_set_that_is_there() {
        assert_eq!(Isa::choose(Some("scalar"), &OLD_X86), Ok(Isa::Scalar));
    }

    #[test]
    fn a_set_the_cpu_lacks_is_refused_with_what_it_has() {
        assert_eq!(
            Isa::choose(Some("avx512"), &OLD_X86).unwrap_err(),
            "HYBRID_SIMD=avx512: this CPU lacks avx512, it has avx2, scalar: set HYBRID_SIMD to one of these or unset it"
        );
    }

    #[test]
    fn a_name_that_is_none_is_refused_with_what_there_is() {
        for name in ["AVX2", "sse9", " avx2"] {
            let message = Isa::choose(Some(name), &OLD_X86).unwrap_err();
            assert!(message.contains(name) && message.contains("avx2, scalar"), "{message}");
        }
    }

    #[test]
    fn every_cpu_has_the_scalar_set() {
        assert_eq!(Isa::available().last(), Some(&Isa::Scalar));
    }
}
