//! What a diagnosis has read already: every driver needs the C library, and a look is at one moment. Knows nothing of where the files
//! are.

use std::{
    cell::{OnceCell, RefCell},
    collections::HashMap,
    path::PathBuf,
    rc::Rc,
};

use super::shared_library::SharedLibrary;

#[derive(Default)]
pub(super) struct Read {
    /// The paths in the dynamic linker's cache, by the names of their files.
    pub(super) cache: OnceCell<HashMap<String, Vec<PathBuf>>>,
    /// What libraries say of themselves, or why they cannot be loaded here.
    pub(super) libraries: RefCell<HashMap<PathBuf, Result<Rc<SharedLibrary>, String>>>,
}
