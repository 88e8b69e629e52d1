//! Forbids contraction in SPIR-V: no `a * b + c` may become a fused multiply-add, which rounds once instead of twice.
//!
//! WGSL has no word for it and drivers do contract, with counts that differ from the definition's. SPIR-V has the
//! decoration `NoContraction`, and Vulkan wants add, sub and mul correctly rounded, so that with it a conforming GPU
//! computes the bits the CPU computes. Knows SPIR-V alone.

use rspirv::{
    binary::Assemble,
    dr::{Instruction, Operand},
    spirv::{Decoration, Op},
};

/// The arithmetic that a driver may contract.
const CONTRACTIBLE: [Op; 5] = [Op::FAdd, Op::FSub, Op::FMul, Op::FDiv, Op::FNegate];

/// The module `words` with every floating-point add, sub, mul, div and negate decorated with `NoContraction`.
///
/// # Errors
/// Where `words` is no SPIR-V module.
pub(super) fn forbid(words: &[u32]) -> Result<Vec<u32>, String> {
    let mut module = rspirv::dr::load_words(words).map_err(|error| error.to_string())?;
    let decorations: Vec<Instruction> = module
        .all_inst_iter()
        .filter(|instruction| CONTRACTIBLE.contains(&instruction.class.opcode))
        .filter_map(|instruction| instruction.result_id)
        .map(|id| {
            let operands = vec![Operand::IdRef(id), Operand::Decoration(Decoration::NoContraction)];
            Instruction::new(Op::Decorate, None, None, operands)
        })
        .collect();
    module.annotations.extend(decorations);
    Ok(module.assemble())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::{
        device::gpu::shader::{self, Repeats},
        kernel::{Precision, julia::Julia},
    };

    /// Ids of the arithmetic in `words`, and ids decorated with `NoContraction`.
    fn arithmetic_and_decorated(words: &[u32]) -> (BTreeSet<u32>, BTreeSet<u32>) {
        let module = rspirv::dr::load_words(words).unwrap();
        let arithmetic = module
            .all_inst_iter()
            .filter(|instruction| CONTRACTIBLE.contains(&instruction.class.opcode))
            .map(|instruction| instruction.result_id.unwrap())
            .collect();
        let decorated = module
            .annotations
            .iter()
            .filter(|instruction| instruction.operands.contains(&Operand::Decoration(Decoration::NoContraction)))
            .map(|instruction| instruction.operands[0].unwrap_id_ref())
            .collect();
        (arithmetic, decorated)
    }

    #[test]
    fn all_arithmetic_is_decorated_and_nothing_else() {
        for precision in [Precision::F32, Precision::F64] {
            let plain = shader::translate(&shader::escape::<Julia>(precision, 4, Repeats::Ignored).wgsl).unwrap();
            // 3 mul, 3 add or sub, in one function.
            let (arithmetic, decorated) = arithmetic_and_decorated(&plain);
            assert!(arithmetic.len() >= 6 && decorated.is_empty(), "{arithmetic:?} {decorated:?}");
            let (arithmetic, decorated) = arithmetic_and_decorated(&forbid(&plain).unwrap());
            assert_eq!(arithmetic, decorated, "{precision}");
        }
    }

    #[test]
    fn decorations_are_the_only_change() {
        let plain = shader::translate(&shader::escape::<Julia>(Precision::F64, 2, Repeats::Sought).wgsl).unwrap();
        let mut module = rspirv::dr::load_words(forbid(&plain).unwrap()).unwrap();
        module
            .annotations
            .retain(|instruction| !instruction.operands.contains(&Operand::Decoration(Decoration::NoContraction)));
        assert_eq!(module.assemble()[5..], rspirv::dr::load_words(&plain).unwrap().assemble()[5..]);
    }

    #[test]
    fn what_is_no_spirv_is_refused() {
        assert!(forbid(&[1, 2, 3]).is_err());
    }
}
