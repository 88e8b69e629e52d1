//! What a machine is called whose processors have no name: on a Raspberry Pi `/proc/cpuinfo` names no model, but the firmware's device
//! tree does, of the board. Linux only; elsewhere nothing is known, which is no error.

use std::{fs::File, io::Read, path::Path};

use crate::visible::visible;

/// Where Linux shows the device tree; the first leads to the second where neither is hidden.
const FILES: [&str; 2] = ["proc/device-tree/model", "sys/firmware/devicetree/base/model"];
/// No name is longer.
const LIMIT_BYTES: u64 = 256;

/// The model that the device tree below `root` (`/`, but for tests) names.
pub(super) fn model(root: &Path) -> Option<String> {
    FILES.iter().find_map(|file| {
        let mut bytes = Vec::new();
        File::open(root.join(file)).and_then(|file| file.take(LIMIT_BYTES).read_to_end(&mut bytes)).ok()?;
        let text = String::from_utf8_lossy(&bytes);
        let words: Vec<&str> = text.split('\0').next()?.split_whitespace().collect();
        (!words.is_empty()).then(|| visible(&words.join(" ")).into_owned())
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// The model of a made-up tree with these files.
    fn model_of(files: &[(&str, &[u8])]) -> Option<String> {
        let root = tempfile::tempdir().unwrap();
        for (name, bytes) in files {
            let file = root.path().join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, bytes).unwrap();
        }
        model(root.path())
    }

    #[test]
    fn a_board_is_called_as_its_device_tree_says() {
        let pi = b"Raspberry Pi 4 Model B Rev 1.4\0";
        let expected = Some("Raspberry Pi 4 Model B Rev 1.4".to_owned());
        assert_eq!(model_of(&[(FILES[0], pi)]), expected);
        assert_eq!(model_of(&[(FILES[1], pi)]), expected);
        assert_eq!(model_of(&[(FILES[0], b"\0"), (FILES[1], pi)]), expected);
    }

    #[test]
    fn nothing_is_known_where_there_is_nothing_and_nothing_is_believed() {
        assert_eq!(model_of(&[]), None);
        assert_eq!(model_of(&[(FILES[0], b" \n\0")]), None);
        assert_eq!(model_of(&[(FILES[0], b"a\x1b[2J  b\0c")]).as_deref(), Some("a\\u{1b}[2J b"));
        assert_eq!(model_of(&[(FILES[0], &[b'x'; 5000])]).map(|name| name.len()), Some(256));
    }
}
