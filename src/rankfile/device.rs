//! The device that a comment on a rank's line asks for. Knows how a PCI bus id is written; whether
//! such a GPU exists is for others to say.

use crate::{pci::ParsePciBusIdError, request::DeviceRequest};

/// The words that ask for a device, without the `#`; `None` where nothing is asked for.
pub(super) fn words(request: DeviceRequest) -> Option<String> {
    match request {
        DeviceRequest::Auto => None,
        DeviceRequest::Cpu | DeviceRequest::Gpu => Some(request.to_string()),
        DeviceRequest::ThisGpu(id) => Some(format!("gpu={id}")),
    }
}

/// What the words of a comment say about a device.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Comment {
    /// Nothing: words for people.
    Prose,
    Request(DeviceRequest),
    /// Starts as a request does, but the bus id cannot be read.
    BadBusId(ParsePciBusIdError),
    /// Starts with `gpu` or `cpu` and goes on in a way that is no request.
    Unclear,
}

/// Reads the text of a comment, without its `#`, `//` or `/* */`.
///
/// `gpu=ID` may be followed by a blank and words for people; `gpu` and `cpu` stand alone.
pub(super) fn read_comment(text: &str) -> Comment {
    let text = text.trim();
    let word_length = text.bytes().take_while(u8::is_ascii_alphanumeric).count();
    let (word, rest) = text.split_at(word_length);
    let request = match word {
        _ if word.eq_ignore_ascii_case("gpu") => DeviceRequest::Gpu,
        _ if word.eq_ignore_ascii_case("cpu") => DeviceRequest::Cpu,
        _ => return Comment::Prose,
    };
    if rest.is_empty() {
        return Comment::Request(request);
    }
    if let (DeviceRequest::Gpu, Some(id)) = (request, rest.trim_start().strip_prefix('=')) {
        let id = id.split_whitespace().next().unwrap_or_default();
        return match id.parse() {
            Ok(id) => Comment::Request(DeviceRequest::ThisGpu(id)),
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
        let gpu = |text: &str| Comment::Request(DeviceRequest::ThisGpu(text.parse().unwrap()));
        assert_eq!(read_comment(" gpu "), Comment::Request(DeviceRequest::Gpu));
        assert_eq!(read_comment("CPU"), Comment::Request(DeviceRequest::Cpu));
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
