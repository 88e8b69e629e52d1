//! What is said about a fault in a statement. Words only; what is a fault is decided elsewhere.

use super::code::{Code, SYNTAX_OF_LINE};
use super::guise::Guise;
use super::statement::Second;
use super::{host_word, statement};
use crate::{
    host_name,
    launcher::{ByDialect, Dialect},
};

/// The message for a fault, given the bytes it marks.
pub(super) fn statement_message(code: Code, marked: &str) -> String {
    let shown = clip(marked);
    match code {
        Code::UnknownLine => format!(
            "'{shown}' starts no line of a rankfile: a line reads 'rank N=HOST slot=CORES', a comment starts with #"
        ),
        Code::KeywordCase => format!("'{shown}' must be in lower case"),
        Code::RankNumber => format!("'{shown}' is no rank: expected a whole number from 0"),
        Code::RankTooLarge => format!("rank {shown} is beyond {}, the largest that is read", statement::MAX_RANK),
        Code::MissingEquals => "expected '=' here: a line reads 'rank N=HOST slot=CORES'".to_owned(),
        Code::DoubleEquals => "one '=' too many".to_owned(),
        Code::MissingSlots => "the line ends without 'slot=' and so binds nothing".to_owned(),
        Code::EmptySlots => "no core stands after 'slot='".to_owned(),
        Code::BlankInSlots => "a slot list ends at the first blank: write it without blanks".to_owned(),
        Code::StrayText => format!("'{shown}' has no meaning here: put '#' before a comment"),
        Code::StrayCharacter => {
            format!("'{shown}' cannot stand here: a slot list has digits and , ; : - * only")
        }
        Code::MissingHost => "no host stands after 'rank N='".to_owned(),
        Code::HostSyntax => format!(
            "'{shown}' cannot be a host name: it needs letters, digits and '-', and a letter first where it has dots"
        ),
        Code::HostUnderscore => {
            format!("the host name '{shown}' has an underscore: use an alias without one, or the address")
        }
        Code::QuotedHost => format!("{shown} stands in quotes: write the name alone"),
        Code::RelativeHost => {
            format!("'{shown}' names a host by its place in an allocation: write the name of the host")
        }
        Code::SeveralAts => format!("'{shown}' has more than one '@'"),
        Code::Ipv6Host => {
            format!("Open MPI 4.1 takes no IPv6 address such as '{shown}': write a name, or the IPv4 address")
        }
        Code::FullHostName => {
            let name = host_word::read(marked).name;
            let short = clip(host_name::short_name(name));
            if host_name::is_mdns(name) {
                format!(
                    "'{shown}' is a name of mDNS, which Open MPI 4.1 cuts to '{short}': start it with --mca orte_keep_fqdn_hostnames 1, or name the hosts in /etc/hosts or ~/.ssh/config"
                )
            } else {
                format!("the host name '{shown}' is cut to '{short}': write the short name")
            }
        }
        Code::BrokenLine if Second::of(marked) == Some(Second::Slots) => {
            "'slot=' stands on this line twice: write all cores of a rank in one list, as in slot=0,1".to_owned()
        }
        Code::BrokenLine if Second::of(marked) == Some(Second::Rank) => {
            "a second rank stands on this line: give each rank a line of its own".to_owned()
        }
        _ => format!("'{shown}' stands where 'slot=' or the end of the line should"),
    }
}

/// The message for a character that looks like another one.
pub(super) fn guise_message(c: char, guise: &Guise) -> String {
    let code = u32::from(c);
    match guise.instead {
        Some(' ') => format!("U+{code:04X}, {}, stands here: write a blank", guise.what),
        Some(instead) => format!("U+{code:04X}, {}, stands here for '{instead}': write that", guise.what),
        None => format!("U+{code:04X}, {}, stands here: remove it", guise.what),
    }
}

/// What each dialect does about a fault where that depends on the bytes it marks or on the rank; `None` where the code says it.
pub(super) fn statement_consequences(code: Code, marked: &str, rank: Option<u32>) -> Option<ByDialect<String>> {
    if let (Code::BrokenLine, Some(second)) = (code, Second::of(marked)) {
        return Some(ByDialect::of(|dialect| about_second(second, rank, dialect).to_owned()));
    }
    let name = host_word::read(marked).name;
    (code == Code::FullHostName && host_name::is_mdns(name)).then(|| {
        let (name, short) = (clip(name), clip(host_name::short_name(name)));
        ByDialect::of(|dialect| match dialect {
            Dialect::OpenMpi41 => format!("cuts the name and tries 'ssh {short}'"),
            Dialect::OpenMpi5 | Dialect::OpenMpi6 => format!("with -H {name}:1 tries 'ssh {name}'; without -H or a hostfile \"a host was either not allocated or oversubscribed its slots\""),
        })
    })
}

/// What a launcher does about a line with a second key, as 4.1.4, 5.0.11 and 6.0.0rc2 did.
fn about_second(second: Second, rank: Option<u32>, dialect: Dialect) -> &'static str {
    match (second, rank, dialect) {
        (_, _, Dialect::OpenMpi6) => SYNTAX_OF_LINE,
        (Second::Slots, Some(0), _) => "\"rank 0 is already assigned\", and starts nothing",
        (Second::Slots, ..) => "lets the last list win, without a word",
        (Second::Rank, _, Dialect::OpenMpi41) => "\"There are not enough slots available\", and starts nothing",
        (Second::Rank, _, Dialect::OpenMpi5) => "\"a host was either not allocated or oversubscribed its slots\"",
    }
}

/// A word of the file for a message, not longer than a line.
pub(super) fn clip(word: &str) -> String {
    match word.char_indices().nth(50) {
        Some((end, _)) => format!("{}...", &word[..end]),
        None => word.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_word_is_cut_between_characters() {
        assert_eq!(clip("node"), "node");
        assert_eq!(clip(&"\u{e9}".repeat(51)), format!("{}...", "\u{e9}".repeat(50)));
    }
}
