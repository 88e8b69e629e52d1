//! Every shader without a GPU: it composes, parses and validates, and its uniform has the layout of its Rust twin.

use std::{
    collections::BTreeSet,
    fs,
    mem::{offset_of, size_of},
    path::Path,
};

use hybrid::inside::{
    device::gpu::{image, shader},
    kernel::counting::CountingKernel,
};
use naga::{Module, TypeInner};

/// Name and offset of each member of a struct, and its span in bytes.
type Layout = (Vec<(String, usize)>, usize);

/// The layout of a Rust struct, by the names of its members.
macro_rules! layout {
    ($name:ty: $($member:ident),+) => {
        (vec![$((stringify!($member).to_owned(), offset_of!($name, $member))),+], size_of::<$name>())
    };
}

/// The layout of the type of the uniform at binding 0.
fn uniform(module: &Module) -> Layout {
    let (_, uniform) = module
        .global_variables
        .iter()
        .find(|(_, variable)| variable.space == naga::AddressSpace::Immediate)
        .expect("every kernel has a uniform");
    let TypeInner::Struct { members, span } = &module.types[uniform.ty].inner else { panic!("not a struct") };
    let members = members
        .iter()
        .map(|member| (member.name.clone().expect("WGSL names its members"), member.offset as usize))
        .collect();
    (members, *span as usize)
}

/// The layout of the Rust twin of `shader`'s uniform.
fn twin(shader: &shader::Shader) -> Layout {
    match shader.entry {
        "escape" if shader.label.contains("f32") => layout!(image::ParamsF32:
            fixed_x, fixed_y, radius2, max_iter, width, first_column, first_row, pixels, leap_above),
        "escape" => layout!(image::ParamsF64:
            fixed_x, fixed_y, radius2, max_iter, width, first_column, first_row, pixels, leap_above),
        "counting" => words(&shader.label),
        other => panic!("no Rust twin is named here for the uniform of {other}"),
    }
}

/// The words that a counting kernel's host sends.
fn words(name: &str) -> Layout {
    let kernel = CountingKernel::ALL.into_iter().find(|kernel| kernel.kernel().name() == name).expect("a kernel");
    let own = kernel.kernel().uniform().into_iter().map(|(name, _)| name);
    let members: Vec<_> =
        own.chain(["block_low", "block_high", "blocks"]).map(str::to_owned).zip((0..).step_by(4)).collect();
    let span = 4 * members.len();
    (members, span)
}

#[test]
fn every_file_is_a_shader_and_every_shader_is_valid() {
    let files: BTreeSet<String> = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("shaders"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "wgsl"))
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    let shaders = shader::all();
    // Of each shape, and of each kernel.
    let entries = shaders.iter().map(|shader| shader.entry.to_owned());
    let kernels = shaders.iter().map(|shader| shader.label.split(' ').next().expect("a name").to_owned());
    assert_eq!(files, entries.chain(kernels).collect());
    for shader in shader::all() {
        let (module, _) = shader::validate(&shader.wgsl).unwrap_or_else(|error| panic!("{}: {error}", shader.label));
        let entry_points: Vec<&str> = module.entry_points.iter().map(|entry_point| entry_point.name.as_str()).collect();
        assert_eq!(entry_points, [shader.entry], "{}", shader.label);
        shader::translate(&shader.wgsl).unwrap_or_else(|error| panic!("{}: {error}", shader.label));
    }
}

#[test]
fn every_uniform_has_the_layout_of_its_rust_twin() {
    for shader in shader::all() {
        let (module, _) = shader::validate(&shader.wgsl).unwrap();
        assert_eq!(uniform(&module), twin(&shader), "{}", shader.label);
    }
}

#[test]
fn two_members_swapped_are_caught() {
    for shader in shader::all() {
        let (members, _) = twin(&shader);
        for pair in members.windows(2) {
            let swapped = swap_members(&shader.wgsl, &pair[0].0, &pair[1].0);
            let (module, _) = shader::validate(&swapped).unwrap();
            assert_ne!(uniform(&module), twin(&shader), "{}: {pair:?}", shader.label);
        }
    }
}

/// `wgsl` with the declarations of two members of its uniform exchanged.
fn swap_members(wgsl: &str, first: &str, second: &str) -> String {
    let mut lines: Vec<&str> = wgsl.lines().collect();
    let start = lines.iter().position(|line| line.starts_with("struct Params")).expect("every kernel has Params");
    let place = |name: &str| {
        let declares = |line: &&str| line.trim_start().starts_with(&format!("{name}:"));
        start + lines[start..].iter().position(declares).expect("the member is declared")
    };
    let (first, second) = (place(first), place(second));
    lines.swap(first, second);
    lines.join("\n")
}

#[test]
fn a_shader_with_an_error_is_refused_with_its_place() {
    for shader in shader::all() {
        let error = shader::translate(&shader.wgsl.replace("let", "lte")).unwrap_err();
        assert!(error.contains("wgsl:"), "{error}");
    }
}
