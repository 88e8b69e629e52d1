//! Which hwloc is here, and of which a stored topology is, for those that the library here does not take. Reads the head of the text
//! alone.

use hwlocality::hwloc_api_version;

/// The version of the library here, such as `2.9`.
#[must_use]
pub fn hwloc_version() -> String {
    let version = hwloc_api_version();
    format!("{}.{}", version >> 16, version >> 8 & 0xff)
}

/// What a rejected text is, and how to make of it one that is taken; `name` is the file it comes from.
pub(super) fn why_rejected(name: &str, xml: &str) -> String {
    why(name, xml, hwloc_api_version() >> 16)
}

/// `library` is the major version of the library here.
fn why(name: &str, xml: &str, library: usize) -> String {
    match version(xml) {
        None => "it is no XML of hwloc; make one on that host with `lstopo FILE.xml`".to_owned(),
        Some(Version { major: 1, .. }) if library > 2 => format!(
            "it is of hwloc 1, which the hwloc library here, of version {library}, does not read; convert it where hwloc 2 is: \
             `lstopo -i {name} --of xml NEW.xml`"
        ),
        Some(Version { major, .. }) if major as usize <= library => format!(
            "it is of hwloc {major}, but the hwloc library here does not take it: it is damaged, of several machines, has no PU, or \
             is laid out as `lstopo` does not; make it anew with `lstopo FILE.xml`"
        ),
        Some(Version { text, .. }) => format!(
            "it is of version {text} of hwloc's XML, and the hwloc library here reads up to {library}; write it on that host \
             with `lstopo --of v2xml {name}`"
        ),
    }
}

/// The version of the format, which differs from that of the library.
struct Version<'a> {
    major: u32,
    text: &'a str,
}

/// What the root element says; files of hwloc 1 say nothing. `None` where there is no such element.
fn version(xml: &str) -> Option<Version<'_>> {
    let (_, rest) = xml.split_once("<topology")?;
    let (attributes, _) = rest.split_once('>')?;
    let text = attributes.split_once("version=\"").and_then(|(_, value)| value.split('"').next());
    match text {
        None => Some(Version { major: 1, text: "1" }),
        Some(text) => Some(Version { major: text.split('.').next()?.parse().ok()?, text }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_version_is_named_with_the_command_that_makes_one_that_is_read() {
        let of = |root: &str, library| {
            why("n.xml", &format!("<?xml version=\"1.0\"?>\n{root}<object/></topology>"), library)
        };
        for (root, library, expected) in [
            ("<topology version=\"3.0\">", 2, "version 3.0 of hwloc's XML"),
            ("<topology version=\"3.0\">", 2, "reads up to 2"),
            ("<topology version=\"3.0\">", 2, "`lstopo --of v2xml n.xml`"),
            ("<topology version=\"3.0\">", 3, "damaged"),
            ("<topology>", 3, "it is of hwloc 1, which"),
            ("<topology>", 3, "`lstopo -i n.xml --of xml NEW.xml`"),
            ("<topology>", 2, "of several machines"),
            ("<topology version=\"2.0\">", 2, "it is of hwloc 2, but"),
            ("<topology version=\"two\">", 2, "no XML of hwloc"),
            ("<html>", 2, "no XML of hwloc"),
        ] {
            let why = of(root, library);
            assert!(why.contains(expected), "{root}: {why}");
        }
    }
}
