//! Names on the wire and in words.

use hickory_proto::rr::Name;

use crate::incident::{Failure, FailureKind, plain::blanked};

/// A host name as an absolute name, whether or not it ends with a dot.
///
/// # Errors
/// If it is no domain name: a label over 63 octets, a name over 255, a broken escape.
pub fn absolute(host: &str) -> Result<Name, Failure> {
    let mut name = Name::from_ascii(host).map_err(|error| {
        Failure::new(
            FailureKind::NotPlanned,
            format!(
                "{:?} is no domain name: {error}; correct it in the plan",
                shorten(host, 80)
            ),
        )
    })?;
    name.set_fqdn(true);
    Ok(name)
}

/// A name in lower case without its final dot, fit to be shown: whatever is not printable ASCII is escaped as in zone
/// files (RFC 1035 section 5.1), so that a hostile label cannot reach the terminal.
#[must_use]
pub fn text(name: &Name) -> String {
    let mut text = name.to_lowercase().to_ascii();
    if text.len() > 1 && text.ends_with('.') {
        text.pop();
    }
    // hickory escapes them already; this holds if it ever stops.
    text.chars()
        .map(|c| if c.is_ascii_graphic() { c } else { '?' })
        .collect()
}

/// The beginning of a text from outside, at most so many characters, without control characters.
#[must_use]
pub fn shorten(text: &str, most: usize) -> String {
    let mut short = blanked(text, most);
    if text.chars().nth(most).is_some() {
        short.push('…');
    }
    short
}
