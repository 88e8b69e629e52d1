//! The direction of flow, as docs/architecture.md draws it, against the imports in `src/`: no module knows one to its right, and no
//! two modules of one folder know each other in a circle. And what every machine has of its own stays out of what is computed: the
//! functions of its C library that round as they please.

#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use syn::{UseTree, visit::Visit};

/// A module by the names on the way to it from the crate's root.
type Module = Vec<String>;

/// The place of each module in the line of docs/architecture.md that begins with the leftmost.
fn order(document: &str) -> BTreeMap<String, usize> {
    let start = document.find("`build_id, ").expect("the document draws the order") + 1;
    let line = document[start..].split('`').next().unwrap();
    let places = line.split('<').enumerate();
    places.flat_map(|(place, names)| names.split(',').map(move |name| (name.trim().to_owned(), place))).collect()
}

/// Whether a module inside a file is its tests.
fn is_tests(item: &syn::ItemMod) -> bool {
    item.ident == "tests" && item.attrs.iter().any(|attribute| attribute.path().is_ident("cfg"))
}

/// Collects the paths that a file names.
struct Paths(Vec<Vec<String>>);

impl<'ast> Visit<'ast> for Paths {
    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        let mut open = vec![(Vec::new(), &item.tree)];
        while let Some((mut path, tree)) = open.pop() {
            match tree {
                UseTree::Path(part) => {
                    path.push(part.ident.to_string());
                    open.push((path, &part.tree));
                }
                UseTree::Group(group) => open.extend(group.items.iter().map(|tree| (path.clone(), tree))),
                UseTree::Name(name) => self.0.push([path, vec![name.ident.to_string()]].concat()),
                UseTree::Rename(name) => self.0.push([path, vec![name.ident.to_string()]].concat()),
                UseTree::Glob(_) => self.0.push(path),
            }
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        self.0.push(path.segments.iter().map(|segment| segment.ident.to_string()).collect());
        syn::visit::visit_path(self, path);
    }

    /// Tests may look at anything.
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if !is_tests(item) {
            syn::visit::visit_item_mod(self, item);
        }
    }
}

/// Every module's text, from the files in `src/`.
fn sources() -> BTreeMap<Module, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = BTreeMap::new();
    let mut folders: Vec<(PathBuf, Module)> = vec![(root, Vec::new())];
    while let Some((folder, module)) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
            let here = [module.clone(), vec![stem.clone()]].concat();
            if path.is_dir() {
                folders.push((path, here));
            } else {
                let is_root = module.is_empty() && ["lib", "main"].contains(&&*stem);
                let module = if stem == "mod" { module.clone() } else { here };
                if !is_root {
                    found.insert(module, fs::read_to_string(path).unwrap());
                }
            }
        }
    }
    found
}

/// Whether a file is a test as a whole, which is declared elsewhere.
fn is_test((name, parent): (&String, &[String]), sources: &BTreeMap<Module, String>) -> bool {
    sources.get(parent).is_some_and(|parent| parent.contains(&format!("#[cfg(test)]\nmod {name};")))
}

/// Which modules each module names, tests left out.
fn imports(sources: &BTreeMap<Module, String>) -> Vec<(&Module, Module)> {
    let mut found = Vec::new();
    for (module, text) in sources {
        let file = syn::parse_file(text).unwrap_or_else(|error| panic!("{module:?}: {error}"));
        if is_test(module.split_last().unwrap(), sources) {
            continue;
        }
        let mut paths = Paths(Vec::new());
        paths.visit_file(&file);
        found.extend(paths.0.iter().filter_map(|path| resolve(module, path, sources)).map(|to| (module, to)));
    }
    found
}

/// The module of this crate that `path`, named in `module`, leads to or into.
fn resolve(module: &Module, path: &[String], sources: &BTreeMap<Module, String>) -> Option<Module> {
    let mut at = module.clone();
    let mut rest = path;
    match path.first()?.as_str() {
        "crate" => at.clear(),
        "self" => {}
        "super" => {
            at.pop();
        }
        // A child, or something from elsewhere.
        child if sources.contains_key(&[at.clone(), vec![child.to_owned()]].concat()) => at.push(child.to_owned()),
        _ => return None,
    }
    rest = &rest[1..];
    while rest.first().is_some_and(|part| part == "super") {
        at.pop();
        rest = &rest[1..];
    }
    for part in rest {
        at.push(part.clone());
        if !sources.contains_key(&at) {
            at.pop();
            break;
        }
    }
    (!at.is_empty()).then_some(at)
}

/// The imports that lead to the right, and the modules that have no place.
fn against_the_flow(sources: &BTreeMap<Module, String>, order: &BTreeMap<String, usize>) -> Vec<String> {
    let mut found = Vec::new();
    for module in sources.keys().filter(|module| module.len() == 1 && !order.contains_key(&module[0])) {
        found.push(format!("{} has no place in the order", module[0]));
    }
    for (from, to) in imports(sources) {
        let places = order.get(&from[0]).zip(order.get(&to[0]));
        if from[0] != to[0] && places.is_some_and(|(from, to)| from <= to) {
            found.push(format!("{} names {}", from.join("::"), to.join("::")));
        }
    }
    found
}

/// Circles among the modules of one folder, each by the folder and the modules that reach each other.
fn circles(sources: &BTreeMap<Module, String>) -> BTreeSet<(Module, Vec<String>)> {
    let mut edges: BTreeMap<Module, BTreeSet<(String, String)>> = BTreeMap::new();
    for (from, to) in imports(sources) {
        let shared = from.iter().zip(&to).take_while(|(from, to)| from == to).count();
        if let (Some(a), Some(b)) = (from.get(shared), to.get(shared)) {
            edges.entry(from[..shared].to_vec()).or_default().insert((a.clone(), b.clone()));
        }
    }
    let mut found = BTreeSet::new();
    for (folder, edges) in edges {
        let reach = |start: &String| {
            let mut seen = BTreeSet::new();
            let mut open = vec![start.clone()];
            while let Some(at) = open.pop() {
                open.extend(edges.iter().filter(|(a, b)| *a == at && seen.insert(b.clone())).map(|(_, b)| b.clone()));
            }
            seen
        };
        for start in edges.iter().map(|(a, _)| a) {
            let circle: Vec<String> = reach(start).into_iter().filter(|other| reach(other).contains(start)).collect();
            if reach(start).contains(start) {
                found.insert((folder.clone(), circle));
            }
        }
    }
    found
}

fn drawn() -> BTreeMap<String, usize> {
    order(&fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/architecture.md")).unwrap())
}

#[test]
fn no_module_knows_one_to_its_right() {
    assert_eq!(against_the_flow(&sources(), &drawn()), [""; 0]);
}

#[test]
fn no_modules_of_a_folder_know_each_other_in_a_circle() {
    assert_eq!(circles(&sources()), BTreeSet::new());
}

/// Sources with one line more in `module`.
fn with_line(module: &str, line: &str) -> BTreeMap<Module, String> {
    let mut sources = sources();
    let module: Module = module.split("::").map(str::to_owned).collect();
    sources.get_mut(&module).expect("a module").push_str(&format!("\n{line}\n"));
    sources
}

#[test]
fn an_import_against_the_flow_is_caught() {
    for (line, named) in [
        ("use crate::workload::stop;", "kernel::band names workload::stop"),
        ("use crate::{error, workload::{stop::Stop}};", "kernel::band names workload::stop"),
        ("fn f() { crate::commands::warn(); }", "kernel::band names commands"),
        ("use super::super::device;", "kernel::band names device"),
        ("type T = Vec<crate::device::Kind>;", "kernel::band names device"),
        ("use crate::error::Error;", "kernel::band names error"),
    ] {
        let found = against_the_flow(&with_line("kernel::band", line), &drawn());
        assert!(found.contains(&named.to_owned()), "{line}: {found:?}");
    }
    let mut without = drawn();
    without.remove("request");
    assert_eq!(against_the_flow(&sources(), &without)[0], "request has no place in the order");
    let in_a_test = "#[cfg(test)]\nmod tests { use crate::commands; }";
    assert_eq!(against_the_flow(&with_line("as_text", in_a_test), &drawn()), [""; 0]);
}

#[test]
fn a_circle_is_caught() {
    let found = circles(&with_line("kernel::band", "use super::escape;\nuse crate::kernel::image::Image;"));
    assert_eq!(found, BTreeSet::new(), "nothing there knows bands");
    let found = circles(&with_line("kernel::number", "use super::escape;"));
    assert!(found.iter().any(|(folder, _)| folder == &["kernel"]), "{found:?}");
}

/// Functions that Rust leaves to the machine's C library, whose last bits differ from one to the next. `libm::sin` and its like are
/// the same everywhere.
const ROUNDED_BY_THE_MACHINE: [&str; 20] = [
    "acos", "asin", "atan", "atan2", "cbrt", "cos", "cosh", "exp", "exp2", "exp_m1", "hypot", "ln", "ln_1p", "log",
    "log10", "log2", "powf", "sin", "sin_cos", "sinh",
];

/// Modules that may call them, since a margin makes up for what is rounded.
const HAVE_A_MARGIN: [&str; 1] = ["device::proof"];

/// Collects the functions of the machine that a file calls, in its tests not.
struct Rounded(Vec<String>);

impl Rounded {
    fn add(&mut self, name: &syn::Ident) {
        let name = name.to_string();
        if ROUNDED_BY_THE_MACHINE.contains(&name.as_str()) {
            self.0.push(name);
        }
    }
}

impl<'ast> Visit<'ast> for Rounded {
    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        self.add(&call.method);
        syn::visit::visit_expr_method_call(self, call);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments: Vec<_> = path.segments.iter().map(|segment| &segment.ident).collect();
        if let [.., of, name] = segments[..]
            && (of == "f64" || of == "f32")
        {
            self.add(name);
        }
        syn::visit::visit_path(self, path);
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if !is_tests(item) {
            syn::visit::visit_item_mod(self, item);
        }
    }
}

fn rounded_by_the_machine(sources: &BTreeMap<Module, String>) -> Vec<String> {
    let mut found = Vec::new();
    for (module, text) in sources.iter().filter(|(module, _)| !is_test(module.split_last().unwrap(), sources)) {
        let mut calls = Rounded(Vec::new());
        calls.visit_file(&syn::parse_file(text).unwrap());
        let module = module.join("::");
        if !HAVE_A_MARGIN.contains(&module.as_str()) {
            found.extend(calls.0.into_iter().map(|name| format!("{module} calls {name}")));
        }
    }
    found
}

#[test]
fn nothing_depends_on_how_a_machine_rounds() {
    assert_eq!(rounded_by_the_machine(&sources()), [""; 0]);
    for (line, named) in [
        ("fn f(x: f64) -> f64 { x.sin() }", "kernel::band calls sin"),
        ("fn f(x: &[f32]) { x.iter().copied().map(f32::log2); }", "kernel::band calls log2"),
    ] {
        assert_eq!(rounded_by_the_machine(&with_line("kernel::band", line)), [named], "{line}");
    }
    assert_eq!(rounded_by_the_machine(&with_line("kernel::band", "fn f() -> f64 { libm::sin(1.0) }")), [""; 0]);
}
