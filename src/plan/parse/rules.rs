//! What a value must look like: one function a kind, each with the remedy.

use std::{
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};

use crate::{
    incident::{plain::is_plain, source::Means},
    plan::{CopyTo, RegionPlan},
};

/// Why a value is not taken.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    /// What is wrong, following the name of the key.
    pub(super) what: String,
    /// What to write instead.
    pub(super) remedy: String,
}

/// The result of a rule.
pub(super) type Ruled<T> = Result<T, Wrong>;

/// Not taken: what is wrong, and what to write instead.
pub(super) fn wrong<T>(what: impl Into<String>, remedy: impl Into<String>) -> Ruled<T> {
    Err(Wrong {
        what: what.into(),
        remedy: remedy.into(),
    })
}

/// Any text that is not empty and has nothing in it that cannot be seen or turns what stands beside it around.
pub(super) fn text(text: &str) -> Ruled<String> {
    if text.trim().is_empty() {
        wrong("is empty", "give it a value, or leave the key out")
    } else if text.chars().any(char::is_control) {
        wrong(
            "holds control characters",
            "write it on one line, as plain text",
        )
    } else if !is_plain(text) {
        wrong(
            "holds characters that cannot be seen or that turn the line around",
            "write it again by hand, as plain text: what was pasted is not what it looks like",
        )
    } else {
        Ok(text.to_owned())
    }
}

/// Text that becomes one argument of a program: it must not look like an option.
pub(super) fn argument(value: &str) -> Ruled<String> {
    if value.starts_with('-') {
        return wrong(
            format!("{value:?} begins with a hyphen and would be taken for an option"),
            "write the name itself",
        );
    }
    text(value)
}

/// The path of a value, as `helm --set` writes it: keys joined by dots, a dot within a key as `\.`. Those that other keys
/// of the plan decide are refused, since two answers to one question cannot both hold.
pub(super) fn setting(value: &str) -> Ruled<Vec<String>> {
    let mut path = vec![String::new()];
    let mut escaped = false;
    for c in text(value)?.chars() {
        match c {
            '\\' if !escaped => {
                escaped = true;
                continue;
            }
            '.' if !escaped => path.push(String::new()),
            c => {
                if let Some(part) = path.last_mut() {
                    part.push(c);
                }
            }
        }
        escaped = false;
    }
    if path.iter().any(String::is_empty) {
        return wrong(
            format!("{value:?} has an empty key"),
            "join the keys by dots, as in \"aws.athenaURL\"; write a dot within a key as \\\\.",
        );
    }
    let words: Vec<&str> = path.iter().map(String::as_str).collect();
    let decided = match words.as_slice() {
        ["clusterName"] => Some("name in [cluster], and it never changes"),
        ["aws", "region"] => Some("region"),
        ["aws", "backendTable"] => Some("state_table"),
        ["aws", "auditLogTable"] => Some("audit_table"),
        ["aws", "sessionRecordingBucket"] => Some("recordings_bucket"),
        _ => None,
    };
    match decided {
        Some(key) => wrong(
            format!("{value} is decided by another key of the plan"),
            format!("set {key} instead"),
        ),
        None => Ok(path),
    }
}

/// A path; a relative one is taken from the plan's folder.
pub(super) fn path(value: &str, folder: &Path) -> Ruled<PathBuf> {
    let value = text(value)?;
    if value.starts_with('~') {
        return wrong(
            format!("{value:?} begins with ~, which only a shell expands"),
            "write the whole path, or one relative to the plan's folder",
        );
    }
    Ok(folder.join(value))
}

/// An AWS Region by its shape (`us-east-1`, `us-gov-west-1`, `eusc-de-east-1`): new ones need no new Relight.
pub(super) fn region(value: &str) -> Ruled<String> {
    let parts: Vec<&str> = value.split('-').collect();
    let fine = parts.len() >= 3
        && parts.split_last().is_some_and(|(number, words)| {
            matches!(number.len(), 1 | 2)
                && number.bytes().all(|b| b.is_ascii_digit())
                && words
                    .iter()
                    .all(|word| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase()))
        });
    if fine {
        return Ok(value.to_owned());
    }
    let zone = parts.last().is_some_and(|last| {
        last.len() >= 2
            && last.ends_with(|c: char| c.is_ascii_lowercase())
            && last.starts_with(|c: char| c.is_ascii_digit())
    });
    if zone {
        wrong(
            format!("{value:?} is an Availability Zone, not a Region"),
            "leave the letter at the end out",
        )
    } else {
        wrong(
            format!("{value:?} is not the name of an AWS Region"),
            "write one such as \"us-west-2\"",
        )
    }
}

/// An AWS account id.
pub(super) fn account(value: &str) -> Ruled<String> {
    if value.len() == 12 && value.bytes().all(|b| b.is_ascii_digit()) {
        Ok(value.to_owned())
    } else {
        wrong(
            format!("{value:?} is not an AWS account id"),
            "write the twelve digits without hyphens, such as \"111122223333\"",
        )
    }
}

/// An ARN of a service: `arn:aws:iam::111122223333:role/dr-operator`.
pub(super) fn arn(value: &str, service: &str, example: &str) -> Ruled<String> {
    let mut parts = value.splitn(6, ':');
    let fine = parts.next() == Some("arn")
        && parts
            .next()
            .is_some_and(|partition| partition.starts_with("aws"))
        && parts.next() == Some(service)
        && parts.nth(2).is_some_and(|resource| !resource.is_empty())
        && !value.chars().any(|c| c.is_control() || c.is_whitespace());
    if fine {
        Ok(value.to_owned())
    } else {
        wrong(
            format!("{value:?} is not an ARN of {service}"),
            format!("write one such as {example:?}"),
        )
    }
}

/// The ARN of an IAM role.
pub(super) fn role(value: &str) -> Ruled<String> {
    arn(value, "iam", "arn:aws:iam::111122223333:role/dr-operator")
}

/// The ARN of an ACM certificate.
pub(super) fn certificate(value: &str) -> Ruled<String> {
    arn(
        value,
        "acm",
        "arn:aws:acm:us-west-2:111122223333:certificate/…",
    )
}

/// The ARN of a KMS key. An alias would do for AWS, but says nothing about the region and the key behind it.
pub(super) fn key(value: &str) -> Ruled<String> {
    arn(value, "kms", "arn:aws:kms:us-west-2:111122223333:key/…")
}

/// The id of a security group.
pub(super) fn security_group(value: &str) -> Ruled<String> {
    let id = value.strip_prefix("sg-");
    if id.is_some_and(|id| !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric())) {
        return Ok(value.to_owned());
    }
    wrong(
        format!("{value:?} is not the id of a security group"),
        "write one such as \"sg-0123456789abcdef0\"".to_owned(),
    )
}

/// What tables are restored from.
pub(super) fn way(value: &str) -> Ruled<Means> {
    let found = Means::ALL.into_iter().find(|way| way.word() == value);
    found.map_or_else(
        || {
            let words = Means::ALL.map(Means::word).join(", ");
            wrong(
                format!("{value:?} is nothing that tables are restored from"),
                format!(
                    "write one of {words}, or leave it out: then the best that answers is taken"
                ),
            )
        },
        Ok,
    )
}

/// The name of a `DynamoDB` table (`CreateTable`: 3 to 255 of letters, digits, `_`, `-`, `.`).
pub(super) fn table(value: &str) -> Ruled<String> {
    let fine = (3..=255).contains(&value.len())
        && value
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b));
    if fine {
        Ok(value.to_owned())
    } else {
        wrong(
            format!("{value:?} is not the name of a DynamoDB table"),
            "write the name alone, 3 to 255 letters, digits, '_', '-' and '.'; no ARN",
        )
    }
}

/// The name of an S3 bucket (3 to 63 of lower-case letters, digits, `.`, `-`).
pub(super) fn bucket(value: &str) -> Ruled<String> {
    let fine = (3..=63).contains(&value.len())
        && value
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b".-".contains(&b));
    if fine {
        Ok(value.to_owned())
    } else {
        wrong(
            format!("{value:?} is not the name of an S3 bucket"),
            "write the name alone, 3 to 63 lower-case letters, digits, '.' and '-'; no s3:// and no ARN",
        )
    }
}

/// `s3://bucket/prefix`: a place for copies. A prefix ends with a slash afterwards.
pub(super) fn copy_to(value: &str) -> Ruled<CopyTo> {
    let Some(rest) = value.strip_prefix("s3://") else {
        return wrong(
            format!("{value:?} is no place in S3"),
            "write s3:// with a bucket and a prefix: s3://teleport-recordings-us-west-2/black-box",
        );
    };
    let (name, prefix) = rest.split_once('/').unwrap_or((rest, ""));
    let prefix = prefix.trim_end_matches('/');
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
    if prefix.len() > 200 || !prefix.chars().all(plain) {
        return wrong(
            format!("{prefix:?} is no prefix of keys"),
            "use up to 200 letters, digits, '-', '_', '.' and '/'",
        );
    }
    Ok(CopyTo {
        bucket: bucket(name)?,
        prefix: if prefix.is_empty() {
            String::new()
        } else {
            format!("{prefix}/")
        },
    })
}

/// The UID of a Kubernetes object: 8-4-4-4-12 hexadecimal digits.
pub(super) fn uid(value: &str) -> Ruled<String> {
    let lengths: Vec<usize> = value.split('-').map(str::len).collect();
    let fine =
        lengths == [8, 4, 4, 4, 12] && value.bytes().all(|b| b == b'-' || b.is_ascii_hexdigit());
    if fine {
        Ok(value.to_ascii_lowercase())
    } else {
        wrong(
            format!("{value:?} is not a Kubernetes UID"),
            "read it with: kubectl --context CONTEXT get namespace kube-system -o jsonpath={.metadata.uid}",
        )
    }
}

/// A pin of the host certificate authority: `sha256:` and 64 hexadecimal digits, as `tctl status` prints it.
pub(super) fn pin(value: &str) -> Ruled<String> {
    let fine = value
        .strip_prefix("sha256:")
        .is_some_and(|digits| digits.len() == 64 && digits.bytes().all(|b| b.is_ascii_hexdigit()));
    if fine {
        Ok(value.to_ascii_lowercase())
    } else {
        wrong(
            format!("{value:?} is not a CA pin"),
            "write sha256: and 64 hexadecimal digits, as `tctl status` prints them",
        )
    }
}

/// A domain name (RFC 1035 section 2.3.4: labels to 63, 253 in all), lower-cased, without the final dot. A `*` may
/// stand for the first label where `wildcard` says so.
pub(super) fn domain(value: &str, wildcard: bool) -> Ruled<String> {
    let name = value
        .strip_suffix('.')
        .unwrap_or(value)
        .to_ascii_lowercase();
    let plain = match name.strip_prefix("*.") {
        Some(rest) if wildcard => rest,
        _ => name.as_str(),
    };
    let fine = name.len() <= 253
        && plain.split('.').count() >= 2
        && plain.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        })
        && plain.parse::<IpAddr>().is_err();
    if fine {
        Ok(name)
    } else if value.contains("://") || value.contains('/') || value.contains(':') {
        wrong(
            format!("{value:?} is not a domain name"),
            "leave scheme, port and path out",
        )
    } else {
        wrong(
            format!("{value:?} is not a fully qualified domain name"),
            "write one such as \"teleport.example.com\"",
        )
    }
}

/// An address or a host name: what a record or a load balancer may be.
pub(super) fn target(value: &str) -> Ruled<String> {
    match value.parse::<IpAddr>() {
        Ok(address) => Ok(address.to_string()),
        Err(_) => domain(value, false).map_err(|_| Wrong {
            what: format!("{value:?} is neither an IP address nor a host name"),
            remedy:
                "write \"192.0.2.10\" or the load balancer's host name, without scheme and port"
                    .to_owned(),
        }),
    }
}

/// The address of a DNS server; port 53 unless said.
pub(super) fn server(value: &str) -> Ruled<SocketAddr> {
    let bare = value
        .parse::<IpAddr>()
        .map(|ip| SocketAddr::new(ip, 53))
        .ok();
    match bare.or_else(|| value.parse().ok()) {
        Some(address) if address.port() != 0 => Ok(address),
        _ => wrong(
            format!("{value:?} is not the address of a DNS server"),
            "write an IP address, with a port if it is not 53: \"10.0.0.2\", \"10.0.0.2:5353\", \"[2001:db8::1]:53\"",
        ),
    }
}

/// An endpoint of an AWS service: `http://` or `https://` and a host.
pub(super) fn endpoint(value: &str) -> Ruled<String> {
    let host = value
        .strip_prefix("https://")
        .or_else(|| value.strip_prefix("http://"))
        .map(|rest| rest.split('/').next().unwrap_or_default());
    let fine = host.is_some_and(|host| {
        !host.is_empty()
            && !host.contains('@')
            && !value.chars().any(|c| c.is_control() || c.is_whitespace())
    });
    if fine {
        Ok(value.trim_end_matches('/').to_owned())
    } else {
        wrong(
            format!("{value:?} is not an endpoint"),
            "write a URL such as \"https://dynamodb.us-west-2.amazonaws.com\"",
        )
    }
}

/// A hosted zone id, without `/hostedzone/`.
pub(super) fn zone_id(value: &str) -> Ruled<String> {
    let id = value.strip_prefix("/hostedzone/").unwrap_or(value);
    if (1..=32).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric()) {
        Ok(id.to_owned())
    } else {
        wrong(
            format!("{value:?} is not a hosted zone id"),
            "write one such as \"Z0123456789ABCDEFGHIJ\"",
        )
    }
}

/// A duration: whole numbers with `s`, `m`, `h` or `d`, such as `90s`, `15m`, `1h30m`. Never zero, at most a year.
pub(super) fn duration(value: &str) -> Ruled<Duration> {
    let bad = || Wrong {
        what: format!("{value:?} is not a duration"),
        remedy: "write whole numbers with units: \"90s\", \"15m\", \"1h\", \"1h30m\"".to_owned(),
    };
    let mut rest = value.trim();
    let mut secs: u64 = 0;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = rest.split_at(digits);
        let number: u64 = number.parse().map_err(|_| bad())?;
        let scale = match unit.bytes().next() {
            Some(b's') => 1,
            Some(b'm') => 60,
            Some(b'h') => 3600,
            Some(b'd') => 86_400,
            _ => return Err(bad()),
        };
        secs = number
            .checked_mul(scale)
            .and_then(|more| secs.checked_add(more))
            .ok_or_else(bad)?;
        rest = &unit[1..];
    }
    if (1..=366 * 86_400).contains(&secs) {
        Ok(Duration::from_secs(secs))
    } else {
        Err(bad())
    }
}

/// Whether two sides look at AWS with what may be the same account: only two declared, different ids, or different
/// credentials where one is not declared, tell them apart.
pub(super) fn may_share_account(a: &RegionPlan, b: &RegionPlan) -> bool {
    match (&a.account, &b.account) {
        (Some(a), Some(b)) => a == b,
        _ => a.profile == b.profile && a.role == b.role && a.credentials_file == b.credentials_file,
    }
}

/// Whether a name lies in a zone.
pub(super) fn owns(zone: &str, name: &str) -> bool {
    name == zone
        || name
            .strip_suffix(zone)
            .is_some_and(|head| head.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_by_shape() {
        for fine in [
            "us-east-1",
            "ap-southeast-2",
            "us-gov-west-1",
            "us-isob-east-1",
            "eusc-de-east-1",
        ] {
            assert!(region(fine).is_ok(), "{fine}");
        }
        for bad in [
            "",
            "us-east",
            "useast1",
            "US-EAST-1",
            "us-east-1a",
            "us--1",
            "us-east-111",
        ] {
            assert!(region(bad).is_err(), "{bad}");
        }
        let zone = region("us-east-1a").expect_err("a zone");
        assert!(zone.what.contains("Availability Zone"), "{}", zone.what);
    }

    #[test]
    fn durations_with_units() {
        let cases = [
            ("90s", 90),
            ("15m", 900),
            ("1h", 3600),
            ("1h30m", 5400),
            ("2d", 172_800),
        ];
        for (text, secs) in cases {
            assert_eq!(duration(text), Ok(Duration::from_secs(secs)), "{text}");
        }
        for bad in [
            "",
            "0s",
            "1",
            "h",
            "1.5h",
            "-1h",
            "1w",
            "99999999999999999999s",
            "18446744073709551615d",
        ] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn dns_servers_have_port_53_unless_said() {
        let cases = [
            ("10.0.0.2", "10.0.0.2:53"),
            ("10.0.0.2:5353", "10.0.0.2:5353"),
            ("2001:db8::1", "[2001:db8::1]:53"),
            ("[2001:db8::1]:54", "[2001:db8::1]:54"),
        ];
        for (text, address) in cases {
            assert_eq!(
                server(text).map(|a| a.to_string()),
                Ok(address.to_owned()),
                "{text}"
            );
        }
        for bad in ["dns.example.com", "10.0.0.2:0", "10.0.0.2:", "10.0.0", ""] {
            assert!(server(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn domain_names_are_normalised() {
        assert_eq!(
            domain("Teleport.Example.COM.", false),
            Ok("teleport.example.com".to_owned())
        );
        assert_eq!(
            domain("*.teleport.example.com", true),
            Ok("*.teleport.example.com".to_owned())
        );
        let long = format!("{}.com", "a".repeat(64));
        for bad in [
            "*.teleport.example.com",
            "localhost",
            "192.0.2.1",
            "a..b",
            "-a.b",
            "https://a.b",
            "a.b:443",
            &long,
        ] {
            assert!(domain(bad, false).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_zone_owns_itself_and_what_is_below() {
        assert!(owns("example.com", "example.com"));
        assert!(owns("example.com", "*.teleport.example.com"));
        assert!(!owns("example.com", "badexample.com"));
        assert!(!owns("teleport.example.com", "example.com"));
    }
}
