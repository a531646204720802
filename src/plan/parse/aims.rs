//! What the values of a recovery's aims must look like: a share, and who applies resources.

use super::rules::{Ruled, wrong};

/// A Kustomization of Flux: `namespace/name`.
pub(super) fn kustomization(value: &str) -> Ruled<String> {
    let plain = |part: &str| {
        let fits = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'.';
        !part.is_empty() && part.bytes().all(fits)
    };
    match value.split_once('/') {
        Some((namespace, name)) if plain(namespace) && plain(name) => Ok(value.to_owned()),
        _ => wrong(
            format!("{value:?} names no Kustomization"),
            "write \"namespace/name\", such as \"flux-system/teleport-resources\"",
        ),
    }
}

/// A share: `95%`, from 1 to 100.
pub(super) fn percent(value: &str) -> Ruled<u8> {
    let number = value.trim().strip_suffix('%').map(str::trim_end);
    match number.and_then(|number| number.parse().ok()) {
        Some(percent @ 1..=100) => Ok(percent),
        _ => wrong(
            format!("{value:?} is no share"),
            "write \"95%\", from 1% to 100%",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_a_percentage_and_a_kustomization_has_a_namespace() {
        assert_eq!(percent("95%"), Ok(95));
        for other in ["95", "0%", "101%", "%", "-1%"] {
            assert!(percent(other).is_err(), "{other}");
        }
        assert!(kustomization("flux-system/teleport").is_ok());
        for other in ["teleport", "a/b/c", "/a", "a/", "a b/c"] {
            assert!(kustomization(other).is_err(), "{other}");
        }
    }
}
