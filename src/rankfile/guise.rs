//! Characters that look like another one or like nothing: what word processors, web pages and chat programs put in the
//! place of ASCII. Knows single characters only, no rankfile.

/// What a character is, and what it is taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Guise {
    /// In words: "a no-break space".
    pub(super) what: &'static str,
    /// The ASCII character to write instead; `None` where nothing is to stand.
    pub(super) instead: Option<char>,
}

/// Cyrillic and Greek letters, each before the Latin one that it is drawn as.
const LETTERS: &str = "аaеeоoрpсcуyхxіiјjѕsһhԁdԛqԝwАAВBЕEЅSІIЈJКKМMНHОOРPСCТTХXУYοoαaνvρpΑAΒBΕEΖZΗHΙIΚKΜMΝNΟOΡPΤTΥYΧX";

/// The guise of a character; `None` for ASCII and for those that nobody mistakes.
pub(super) fn of(c: char) -> Option<Guise> {
    let (what, instead) = match c {
        '\u{a0}' | '\u{202f}' => ("a no-break space", Some(' ')),
        '\u{3000}' => ("an ideographic space", Some(' ')),
        '\u{2000}'..='\u{200a}' | '\u{205f}' => ("a typographic space", Some(' ')),
        '\u{85}' | '\u{2028}' | '\u{2029}' => ("a line separator", Some(' ')),
        '\u{ad}' => ("a soft hyphen, which is not shown", None),
        '\u{feff}' => ("a byte order mark, which is not shown", None),
        '\u{200b}'..='\u{200d}' | '\u{2060}' => ("a character of no width", None),
        '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
            ("a mark of the writing direction, which is not shown", None)
        }
        '\u{2013}' => ("an en dash", Some('-')),
        '\u{2014}' | '\u{2015}' => ("an em dash", Some('-')),
        '\u{2010}'..='\u{2012}' | '\u{fe58}' | '\u{fe63}' => ("a typographic hyphen", Some('-')),
        '\u{2212}' => ("a minus sign", Some('-')),
        '\u{2018}'..='\u{201f}' | '\u{ab}' | '\u{bb}' | '\u{2039}' | '\u{203a}' => {
            ("a typographic quotation mark", None)
        }
        '\u{ff01}'..='\u{ff5e}' => ("a full-width character", char::from_u32(u32::from(c) - 0xfee0)),
        _ => return letter(c),
    };
    Some(Guise { what, instead })
}

/// Whether it takes no place where it is shown, so that nobody sees it.
pub(super) fn is_unseen(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{feff}' | '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0000}'..='\u{e01ef}')
}

fn letter(c: char) -> Option<Guise> {
    if c.is_ascii() {
        return None;
    }
    let instead = LETTERS.chars().skip_while(|&known| known != c).nth(1)?;
    let what = if ('\u{400}'..='\u{52f}').contains(&c) { "a Cyrillic letter" } else { "a Greek letter" };
    Some(Guise { what, instead: Some(instead) })
}

/// The text as it was meant.
pub(super) fn unmasked(text: &str) -> String {
    text.chars().filter_map(|c| of(c).map_or(Some(c), |guise| guise.instead)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_ascii_is_known_for_what_it_is() {
        for (c, what, instead) in [
            ('\u{a0}', "no-break space", Some(' ')),
            ('\u{200b}', "no width", None),
            ('\u{2013}', "en dash", Some('-')),
            ('\u{201d}', "quotation mark", None),
            ('\u{ff1d}', "full-width", Some('=')),
            ('\u{430}', "Cyrillic", Some('a')),
            ('\u{3bf}', "Greek", Some('o')),
        ] {
            let guise = of(c).unwrap_or_else(|| panic!("{c:?}"));
            assert!(guise.what.contains(what) && guise.instead == instead, "{c:?} {guise:?}");
        }
        for c in ['a', '"', '-', '\u{e9}', '\u{4e2d}'] {
            assert_eq!(of(c), None, "{c:?}");
        }
    }

    #[test]
    fn each_letter_stands_beside_its_latin_twin() {
        let letters: Vec<char> = LETTERS.chars().collect();
        assert!(letters.chunks(2).all(|pair| !pair[0].is_ascii() && pair[1].is_ascii_alphabetic()));
    }

    #[test]
    fn a_line_is_unmasked_as_a_whole() {
        assert_eq!(unmasked("r\u{430}nk\u{a0}0\u{ff1d}n\u{200b} slot=0\u{2013}1"), "rank 0=n slot=0-1");
    }
}
