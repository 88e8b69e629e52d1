//! Words of a command in which `{name}` stands for the value of a parameter, and `{{name}}` for `{name}` itself. Other braces are what
//! they are: scripts have many.

use std::collections::BTreeSet;

/// Words with places for values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template(Vec<Vec<Part>>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Value(String),
}

/// Whether a parameter may be called so: a letter or `_`, then letters, digits, `_` and `-`.
#[must_use]
pub fn is_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && text.chars().all(|sign| sign.is_ascii_alphanumeric() || sign == '_' || sign == '-')
}

impl Template {
    /// Reads these words.
    #[must_use]
    pub fn of(words: &[String]) -> Self {
        Self(words.iter().map(|word| parts(word)).collect())
    }

    /// The names of the values.
    #[must_use]
    pub fn names(&self) -> BTreeSet<&str> {
        let names = self.0.iter().flatten().map(|part| match part {
            Part::Value(name) => Some(name.as_str()),
            Part::Text(_) => None,
        });
        names.flatten().collect()
    }

    /// The words with the values in their places; a name that has no value stays as it was written.
    #[must_use]
    pub fn filled(&self, value: impl Fn(&str) -> Option<String>) -> Vec<String> {
        let fill = |part: &Part| match part {
            Part::Text(text) => text.clone(),
            Part::Value(name) => value(name).unwrap_or_else(|| format!("{{{name}}}")),
        };
        self.0.iter().map(|word| word.iter().map(fill).collect()).collect()
    }
}

fn parts(word: &str) -> Vec<Part> {
    let mut parts = vec![Part::Text(String::new())];
    let mut rest = word;
    while let Some(at) = rest.find('{') {
        let (before, after) = rest.split_at(at);
        text(&mut parts, before);
        let named = |open: &str, close: &str| {
            let (name, behind) = after.strip_prefix(open)?.split_once(close)?;
            is_name(name).then(|| (name.to_owned(), behind))
        };
        rest = if let Some((name, behind)) = named("{{", "}}") {
            text(&mut parts, &format!("{{{name}}}"));
            behind
        } else if let Some((name, behind)) = named("{", "}") {
            parts.push(Part::Value(name));
            behind
        } else {
            text(&mut parts, "{");
            &after[1..]
        };
    }
    text(&mut parts, rest);
    parts
}

/// Adds a text to what stands before it.
fn text(parts: &mut Vec<Part>, more: &str) {
    match parts.last_mut() {
        Some(Part::Text(text)) => text.push_str(more),
        _ => parts.push(Part::Text(more.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(word: &str) -> String {
        let value = |name: &str| (name != "none").then(|| format!("<{name}>"));
        Template::of(&[word.to_owned()]).filled(value).concat()
    }

    #[test]
    fn names_in_braces_stand_for_values_and_other_braces_for_themselves() {
        for (word, expected) in [
            ("plain", "plain"),
            ("", ""),
            ("{np}", "<np>"),
            ("-n{np}x{max-iter}", "-n<np>x<max-iter>"),
            ("{{np}}", "{np}"),
            ("a{{np}}{np}", "a{np}<np>"),
            ("{none}", "{none}"),
            ("{print $1}", "{print $1}"),
            ("{ {np} }", "{ <np> }"),
            ("{}", "{}"),
            ("{", "{"),
            ("{\u{e9}}{np}", "{\u{e9}}<np>"),
        ] {
            assert_eq!(filled(word), expected, "{word}");
        }
        let words = ["{b}{a}".to_owned(), "{{c}} {a}".to_owned()];
        assert_eq!(Template::of(&words).names(), BTreeSet::from(["a", "b"]));
    }
}
