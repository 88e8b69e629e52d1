//! The WGSL of each kernel: what a file in `shaders/` leaves open is prepended here, and the whole is translated to
//! SPIR-V.
//!
//! Pure text in, text or words out: knows nothing of adapters, so that every shader can be checked without a GPU.

use naga::{
    AddressSpace,
    back::spv,
    proc::{BoundsCheckPolicies, BoundsCheckPolicy},
    valid::{Capabilities, ModuleInfo, ValidationFlags, Validator},
};

use crate::kernel::{
    Precision,
    escape::{EscapeTime, Plane},
    property::Counting,
};

/// Words of counts that a workgroup of an image kernel puts out: enough that they go to the host's memory in one piece.
pub(super) const GROUP_WORDS: u32 = 256;
/// Pixels of an invocation of an image kernel.
const LANE_PIXELS: u32 = 4;
/// Invocations of a workgroup of a counting kernel.
pub(super) const GROUP: u32 = 64;
/// Blocks of an invocation: enough that adding up a workgroup's counts costs nothing beside them.
pub(super) const LANE_BLOCKS: u32 = 256;

/// A kernel's WGSL, complete: what [`GpuDevice::compile`](crate::GpuDevice::compile) takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shader {
    /// The name of its entry point.
    pub entry: &'static str,
    /// What messages call it: `julia f64, 4 a word`.
    pub label: String,
    /// The source.
    pub wgsl: String,
}

impl Shader {
    /// Bytes of immediate data that it takes; none where it is not valid, which its translation will tell.
    #[must_use]
    pub(super) fn immediate_bytes(&self) -> u32 {
        let Ok((module, _)) = validate(&self.wgsl) else { return 0 };
        let immediate = module.global_variables.iter().find(|(_, variable)| variable.space == AddressSpace::Immediate);
        immediate.map_or(0, |(_, variable)| module.types[variable.ty].inner.size(module.to_ctx()))
    }
}

/// What a kernel does about orbits that repeat. The counts are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeats {
    /// Follows them to the limit: the faster way where there are none.
    Ignored,
    /// Looks for them, and tells how many iterations it did not make.
    Sought,
}

impl Repeats {
    /// All there are.
    pub const ALL: [Self; 2] = [Self::Ignored, Self::Sought];
}

/// Iterations of a block in `precision` with `per_word` counts in a word: a limit that needs 16 bits lets orbits be long, and a
/// block in which an orbit escapes is computed again.
#[must_use]
pub const fn block(precision: Precision, per_word: usize) -> u32 {
    match (precision, per_word) {
        (_, 4) => 8,
        (Precision::F32, _) => 16,
        (Precision::F64, _) => 24,
    }
}

/// Iterations after which a kernel in `precision` with `per_word` counts in a word looks whether its orbits repeat, a multiple of a
/// block: before, looking costs more than it saves.
#[must_use]
const fn repeats_after(precision: Precision, per_word: usize) -> u32 {
    4 * block(precision, per_word)
}

/// Iterations between two tests in a block in `precision`: as few as keep an orbit that starts within a radius of 3 from
/// growing beyond the format, and in f64, whose tests cost as much as its iterations, as many.
#[must_use]
pub const fn tests_apart(precision: Precision) -> u32 {
    match precision {
        Precision::F32 => 4,
        Precision::F64 => 8,
    }
}

/// Escape counts of the kernel `K` in `precision`, `per_word` of them (4 or 2) in each word of the output.
#[must_use]
pub fn escape<K: EscapeTime>(precision: Precision, per_word: usize, repeats: Repeats) -> Shader {
    let block = block(precision, per_word);
    let repeats_after = repeats_after(precision, per_word);
    let leap = leap(block, tests_apart(precision));
    let [start, constant] = match K::PLANE {
        Plane::Orbits => ["pixel", "fixed"],
        Plane::Parameters => ["fixed", "pixel"],
    };
    let constants = [
        ("PER_WORD", format!("{per_word}u")),
        ("BLOCK", format!("{block}u")),
        ("SEEKS_REPEATS", (repeats == Repeats::Sought).to_string()),
        ("REPEATS_AFTER", format!("{repeats_after}u")),
        ("GROUP_WORDS", format!("{GROUP_WORDS}u")),
        ("LANE_PIXELS", format!("{LANE_PIXELS}u")),
        ("LANES", "GROUP_WORDS * PER_WORD / LANE_PIXELS".to_owned()),
    ];
    let constants: String = constants.iter().map(|(name, value)| format!("const {name} = {value};\n")).collect();
    let open = format!(
        "alias real = {precision};\n{constants}\
         fn start(pixel: Point, fixed: Point) -> Point {{\n    return {start};\n}}\n\
         fn constant(pixel: Point, fixed: Point) -> Point {{\n    return {constant};\n}}\n{leap}\n"
    );
    Shader {
        entry: "escape",
        label: format!("{} {precision}, {per_word} a word, repeats {repeats:?}", K::NAME).to_lowercase(),
        wgsl: open + include_str!("../../../shaders/escape.wgsl") + "\n" + K::WGSL,
    }
}

/// A block of `block` iterations in WGSL, written out, with a test after each `apart` of them, of which `block` is a multiple.
fn leap(block: u32, apart: u32) -> String {
    let advance = "    z = advance(z, c);\n".repeat(apart as usize);
    let part = format!("{advance}    inside = inside & is_inside(z, radius2);\n");
    format!(
        "fn leap(start: Point, c: Point, radius2: real) -> Leap {{\n    var z = start;\n    \
         var inside = true;\n{}    return Leap(z, inside);\n}}",
        part.repeat((block / apart) as usize)
    )
}

/// What `kernel` counts, each workgroup looking at `GROUP * LANE_BLOCKS` blocks.
#[must_use]
pub fn counting(kernel: &dyn Counting) -> Shader {
    let own = kernel.uniform().into_iter().map(|(name, _)| name);
    let members = own.chain(["block_low", "block_high", "blocks"]).map(|name| format!("    {name}: u32,\n"));
    let params: String = members.collect();
    let open =
        format!("const GROUP = {GROUP}u;\nconst LANE_BLOCKS = {LANE_BLOCKS}u;\nstruct Params {{\n{params}}}\n\n");
    Shader {
        entry: "counting",
        label: kernel.name().to_owned(),
        wgsl: open + include_str!("../../../shaders/counting.wgsl") + "\n" + &kernel.wgsl(),
    }
}

/// Every shader that any device may be asked to run.
#[cfg(any(test, feature = "inside"))]
#[must_use]
pub fn all() -> Vec<Shader> {
    use crate::kernel::{
        counting::CountingKernel,
        image::{ImageKernel, Visitor},
    };

    struct All;
    impl Visitor for All {
        type Output = Vec<Shader>;
        fn visit<K: EscapeTime>(self, _: &K) -> Vec<Shader> {
            let mut shaders = Vec::new();
            for precision in [Precision::F32, Precision::F64] {
                for per_word in [4, 2] {
                    shaders.extend(Repeats::ALL.map(|repeats| escape::<K>(precision, per_word, repeats)));
                }
            }
            shaders
        }
    }
    let images = ImageKernel::ALL.into_iter().flat_map(|kernel| kernel.visit(All));
    images.chain(CountingKernel::ALL.iter().map(|kernel| counting(kernel.kernel()))).collect()
}

/// Parses and validates `wgsl`.
///
/// # Errors
/// naga's message, with the place in the source.
pub fn validate(wgsl: &str) -> Result<(naga::Module, ModuleInfo), String> {
    let module = naga::front::wgsl::parse_str(wgsl).map_err(|error| error.emit_to_string(wgsl))?;
    let info = Validator::new(ValidationFlags::all(), Capabilities::FLOAT64 | Capabilities::IMMEDIATES)
        .validate(&module)
        .map_err(|error| error.emit_to_string(wgsl))?;
    Ok((module, info))
}

/// Translates `wgsl`, a text of this crate, to SPIR-V.
///
/// Indices are clamped to their buffers (`Restrict`), so that a wrong number from the host reads or writes a wrong
/// element, never foreign memory. Loops get no extra counter: it would sit in the innermost loop, and each loop in
/// `shaders/` ends by its own counter, which its file shows. Workgroup memory is not cleared: each shader there writes it
/// before it reads it.
///
/// # Errors
/// naga's message.
pub fn translate(wgsl: &str) -> Result<Vec<u32>, String> {
    write(wgsl, false)
}

/// Translates `wgsl`, a text of which nothing is known, to SPIR-V: as [`translate`] does, but with loops that end after at
/// most 2^64 rounds, as drivers may assume, and with cleared workgroup memory.
///
/// # Errors
/// naga's message.
pub fn translate_foreign(wgsl: &str) -> Result<Vec<u32>, String> {
    write(wgsl, true)
}

fn write(wgsl: &str, is_foreign: bool) -> Result<Vec<u32>, String> {
    let (module, info) = validate(wgsl)?;
    let clamp = BoundsCheckPolicy::Restrict;
    let options = spv::Options {
        // What Vulkan 1.1 accepts, the oldest version with subgroups; nothing newer is used.
        lang_version: (1, 3),
        flags: spv::WriterFlags::empty(),
        bounds_check_policies: BoundsCheckPolicies {
            index: clamp,
            buffer: clamp,
            image_load: clamp,
            binding_array: clamp,
        },
        zero_initialize_workgroup_memory: if is_foreign {
            spv::ZeroInitializeWorkgroupMemoryMode::Polyfill
        } else {
            spv::ZeroInitializeWorkgroupMemoryMode::None
        },
        force_loop_bounding: is_foreign,
        ..spv::Options::default()
    };
    spv::write_vec(&module, &info, &options, None).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The host reckons with one size of workgroups: a text that had another would leave pixels out or write them twice.
    #[test]
    fn every_text_has_the_hosts_workgroups() {
        for shader in all() {
            let (module, _) = validate(&shader.wgsl).unwrap();
            let entry = module.entry_points.iter().find(|entry| entry.name == shader.entry).unwrap();
            let lanes = match shader.entry {
                "escape" => GROUP_WORDS * if shader.wgsl.contains("PER_WORD = 4u") { 4 } else { 2 } / LANE_PIXELS,
                _ => GROUP,
            };
            assert_eq!(entry.workgroup_size, [lanes, 1, 1], "{}", shader.label);
            // What every device allows.
            assert!(lanes <= 256 && GROUP_WORDS.is_multiple_of(4), "{lanes}");
        }
    }
}
