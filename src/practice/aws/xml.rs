//! The little XML that S3, Route 53 and STS need.

/// Text as it stands between tags.
pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

fn unescape(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&apos;", "'")
        .replace("&amp;", "&")
}

/// What stands inside each element of that name, in order; elements of one name do not nest in these documents.
pub(super) fn all<'a>(document: &'a str, name: &str) -> Vec<&'a str> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let mut found = Vec::new();
    let mut rest = document;
    while let Some((_, after)) = rest.split_once(&open) {
        let Some((inside, after)) = after.split_once(&close) else {
            break;
        };
        found.push(inside);
        rest = after;
    }
    found
}

/// The text of the first element of that name.
pub(super) fn text(document: &str, name: &str) -> Option<String> {
    all(document, name).first().map(|inside| unescape(inside))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_with_a_common_beginning_are_told_apart() {
        let document = "<Rs><R><V>a&amp;b</V></R><R><V>c</V></R></Rs><R>";
        assert_eq!(all(document, "R"), ["<V>a&amp;b</V>", "<V>c</V>"]);
        assert_eq!(text(document, "V").as_deref(), Some("a&b"));
        assert_eq!(text(document, "X"), None);
    }
}
