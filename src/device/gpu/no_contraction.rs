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
