//! The device that a comment on a rank's line asks for. Knows how a PCI bus id is written; whether
//! such a GPU exists is for others to say.

use crate::{pci::ParsePciBusIdError, wish::DeviceWish};

/// The words that ask for a device, without the `#`; `None` where nothing is asked for.
pub(super) fn words(wish: DeviceWish) -> Option<String> {
    match wish {
        DeviceWish::Auto => None,
        DeviceWish::Cpu | DeviceWish::Gpu => Some(wish.to_string()),
        DeviceWish::ThisGpu(id) => Some(format!("gpu={id}")),
    }
}

/// What the words of a comment say about a device.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Comment {
    /// Nothing: words for people.
    Prose,
    Wish(DeviceWish),
    /// Starts as a wish does, but the bus id cannot be read.
    BadBusId(ParsePciBusIdError),
    /// Starts with `gpu` or `cpu` and goes on in a way that is no wish.
    Unclear,
}

/// Reads the text of a comment, without its `#`, `//` or `/* */`.
///
/// `gpu=ID` may be followed by a blank and words for people; `gpu` and `cpu` stand alone.
pub(super) fn read_comment(text: &str) -> Comment {
    let text = text.trim();
    let word_length = text.bytes().take_while(u8::is_ascii_alphanumeric).count();
    let (word, rest) = text.split_at(word_length);
    let wish = match word {
        _ if word.eq_ignore_ascii_case("gpu") => DeviceWish::Gpu,
        _ if word.eq_ignore_ascii_case("cpu") => DeviceWish::Cpu,
        _ => return Comment::Prose,
    };
    if rest.is_empty() {
        return Comment::Wish(wish);
    }
    if let (DeviceWish::Gpu, Some(id)) = (wish, rest.trim_start().strip_prefix('=')) {
        let id = id.split_whitespace().next().unwrap_or_default();
        return match id.parse() {
            Ok(id) => Comment::Wish(DeviceWish::ThisGpu(id)),
            Err(error) => Comment::BadBusId(error),
        };
    }
    // "gpu-less host" and "cpu's own" are words; "gpu 0", "gpu:65:00.0", "cpu=1" miss their aim.
    if rest.starts_with(['-', '\'', '/', '.']) { Comment::Prose } else { Comment::Unclear }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_are_told_apart() {
        let gpu = |text: &str| Comment::Wish(DeviceWish::ThisGpu(text.parse().unwrap()));
        assert_eq!(read_comment(" gpu "), Comment::Wish(DeviceWish::Gpu));
        assert_eq!(read_comment("CPU"), Comment::Wish(DeviceWish::Cpu));
        assert_eq!(read_comment("gpu=0000:65:00.0"), gpu("0000:65:00.0"));
        assert_eq!(read_comment(" gpu = 00000000:C1:00.0 the left card"), gpu("0000:c1:00.0"));
        for text in ["", "the node with GPUs", "gpu-less host", "gpus: none", "cpu's own"] {
            assert_eq!(read_comment(text), Comment::Prose, "{text}");
        }
        for text in ["gpu 0", "gpu: 0000:65:00.0", "cpu=1", "gpu,cpu"] {
            assert_eq!(read_comment(text), Comment::Unclear, "{text}");
        }
        assert!(matches!(read_comment("gpu=0"), Comment::BadBusId(_)));
        assert!(matches!(read_comment("gpu="), Comment::BadBusId(_)));
    }
}
