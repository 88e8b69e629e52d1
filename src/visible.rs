//! Text of others, such as the names of hosts, files and adapters, made harmless where it is shown: a control character could
//! move a terminal's cursor, forge a line or turn a line's direction. The only file that escapes them; knows none of the texts.

use std::{borrow::Cow, fmt, path::Path};

/// `text` with every character that is not shown as itself escaped as Rust writes it, such as `\n` or `\u{1b}`.
#[must_use]
pub(crate) fn visible(text: &str) -> Cow<'_, str> {
    escape(text, is_hidden, |character| character.escape_default().to_string())
}

/// Like [`visible`], for a text of several lines: the ends of lines stay.
#[must_use]
pub(crate) fn visible_lines(text: &str) -> Cow<'_, str> {
    escape(
        text,
        |character| character != '\n' && is_hidden(character),
        |character| character.escape_default().to_string(),
    )
}

/// `json` with every character escaped that JSON allows and a terminal obeys. Such characters stand in strings alone.
#[must_use]
pub(crate) fn visible_json(json: &str) -> Cow<'_, str> {
    escape(
        json,
        |character| character != '\n' && is_hidden(character),
        |character| character.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect(),
    )
}

/// A path as messages show it.
#[must_use]
pub(crate) fn shown(path: &Path) -> impl fmt::Display {
    visible(&path.to_string_lossy()).into_owned()
}

/// Control characters; separators of lines and paragraphs; marks that turn the direction of writing.
pub(crate) fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn escape(text: &str, hidden: impl Fn(char) -> bool, escaped: impl Fn(char) -> String) -> Cow<'_, str> {
    if !text.contains(&hidden) {
        return Cow::Borrowed(text);
    }
    let mut harmless = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if hidden(character) {
            harmless += &escaped(character);
        } else {
            harmless.push(character);
        }
    }
    Cow::Owned(harmless)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_as_itself_stays() {
        for text in ["", "node07", "caf\u{e9} \u{1f600}", "a b'c\"d\\e"] {
            assert!(matches!(visible(text), Cow::Borrowed(same) if same == text));
        }
    }

    #[test]
    fn no_control_character_is_left() {
        let all: String = (0..0x3000).filter_map(char::from_u32).collect();
        for text in [visible(&all), visible_lines(&all), visible_json(&all)] {
            assert!(text.chars().all(|character| character == '\n' || !is_hidden(character)));
        }
        assert_eq!(visible("a\u{1b}[2J\r\n\tb\u{9b}\u{202e}"), "a\\u{1b}[2J\\r\\n\\tb\\u{9b}\\u{202e}");
        assert_eq!(visible_lines("a\nb\r\n"), "a\nb\\r\n");
    }

    #[test]
    fn json_stays_json() {
        let text = "a\u{1b}\u{9b}\u{7f}\u{2028}\n";
        let json = serde_json::to_string(text).unwrap();
        let harmless = visible_json(&json);
        assert!(harmless.is_ascii(), "{harmless}");
        assert_eq!(serde_json::from_str::<String>(&harmless).unwrap(), text);
    }
}
