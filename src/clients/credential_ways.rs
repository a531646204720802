//! What the operator's credentials hang on, by the files and variables that they come from: read beforehand, so that it is
//! known before the region that they need is gone. Nothing is asked, and no secret is looked at.

use std::collections::{BTreeMap, BTreeSet};

use super::kube::session::host;

/// Longest chain of profiles that is followed.
const CHAIN: usize = 8;

/// A file of profiles: what it is called, and its text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProfileFile {
    /// Its path, as it is said.
    pub name: String,
    /// What is in it; empty where there is none.
    pub text: String,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hangs {
    /// What needs the region that is asked about, in words with file and line.
    pub on: Vec<String>,
    /// What cannot be told, in words.
    pub doubts: Vec<String>,
}

/// Whether a key was understood, and where it stands.
#[derive(Clone, Debug)]
struct Said {
    value: String,
    place: String,
}

type Keys = BTreeMap<String, Said>;

/// Looks at a profile of these files, at those that it builds on, and at the variables that overrule them.
#[must_use]
pub fn hangs(
    files: &[ProfileFile],
    profile: Option<&str>,
    region: &str,
    var: impl Fn(&str) -> Option<String>,
) -> Hangs {
    let mut found = Hangs::default();
    let sections = sections(files, &mut found.doubts);
    let var = |name: &str| var(name).filter(|value| !value.is_empty());
    for name in ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_STS"] {
        if let Some(url) = var(name).filter(|url| names_region(url, region)) {
            let host = host(&url).unwrap_or_default();
            found.on.push(format!("{name} leads to {host}"));
        }
    }
    if region == "us-east-1" && var("AWS_STS_REGIONAL_ENDPOINTS").as_deref() == Some("legacy") {
        found.on.push(
            "AWS_STS_REGIONAL_ENDPOINTS=legacy sends the aws CLI to the global STS, which is in us-east-1"
                .to_owned(),
        );
    }
    let named = profile.map(str::to_owned).or_else(|| var("AWS_PROFILE"));
    let mut next = Some(named.clone().unwrap_or_else(|| "default".to_owned()));
    let mut seen = BTreeSet::new();
    while let Some(profile) = next.take() {
        if seen.len() >= CHAIN || !seen.insert(profile.clone()) {
            found.doubts.push(format!(
                "profile {profile} builds on itself by source_profile"
            ));
            break;
        }
        let Some(keys) = sections.get(&format!("profile {profile}")) else {
            // Without a word about a profile there need not be one.
            if named.is_some() || seen.len() > 1 {
                found.doubts.push(format!(
                    "profile {profile} is in none of {}",
                    files
                        .iter()
                        .map(|file| file.name.as_str())
                        .collect::<Vec<_>>()
                        .join(", ")
                ));
            }
            break;
        };
        look(&profile, keys, &sections, region, &mut found);
        next = keys.get("source_profile").map(|said| said.value.clone());
    }
    found
}

fn look(
    profile: &str,
    keys: &Keys,
    sections: &BTreeMap<String, Keys>,
    region: &str,
    found: &mut Hangs,
) {
    let session = keys.get("sso_session");
    let session = session.and_then(|said| sections.get(&format!("sso-session {}", said.value)));
    let sso = keys
        .get("sso_region")
        .or_else(|| session.and_then(|session| session.get("sso_region")));
    if let Some(said) = sso.filter(|said| said.value == region) {
        found.on.push(format!(
            "profile {profile} signs in by IAM Identity Center in {region} (sso_region, {}): it cannot be renewed without",
            said.place
        ));
    }
    if let Some(said) = keys.get("region").filter(|said| said.value == region)
        && (keys.contains_key("role_arn") || keys.contains_key("web_identity_token_file"))
    {
        found.on.push(format!(
            "profile {profile} has its role assumed at STS in {region} by the aws CLI (region, {})",
            said.place
        ));
    }
    if let Some(said) = keys
        .get("endpoint_url")
        .filter(|said| names_region(&said.value, region))
    {
        let host = host(&said.value).unwrap_or_default();
        found.on.push(format!(
            "profile {profile} leads to {host} (endpoint_url, {})",
            said.place
        ));
    }
    if let Some(said) = keys.get("sts_regional_endpoints")
        && said.value == "legacy"
        && region == "us-east-1"
    {
        found.on.push(format!(
            "profile {profile} sends the aws CLI to the global STS, which is in us-east-1 (sts_regional_endpoints, {})",
            said.place
        ));
    }
    if let Some(said) = keys.get("credential_process") {
        if said.value.contains(region) {
            found.on.push(format!(
                "profile {profile} runs a command that names {region} (credential_process, {})",
                said.place
            ));
        } else {
            // Its words are not repeated: they may hold a secret.
            found.doubts.push(format!(
                "profile {profile} runs a command, and what that needs it does not say (credential_process, {})",
                said.place
            ));
        }
    }
    if let Some(said) = keys
        .get("credential_source")
        .filter(|said| said.value != "Environment")
    {
        found.doubts.push(format!(
            "profile {profile} takes what this machine is given ({}, {}): they last as long as the region that it stands in",
            said.value, said.place
        ));
    }
}

/// Whether an address is one of a region: its name is a part of the host's.
fn names_region(url: &str, region: &str) -> bool {
    host(url).is_some_and(|host| host.split('.').any(|part| part == region))
}

/// The sections of AWS's files by one name: `profile NAME` also for `[NAME]` and `[default]`. What is no line of such a file
/// is told with file and line.
fn sections(files: &[ProfileFile], wrong: &mut Vec<String>) -> BTreeMap<String, Keys> {
    let mut all: BTreeMap<String, Keys> = BTreeMap::new();
    for file in files {
        let mut current: Option<String> = None;
        for (index, line) in file.text.lines().enumerate() {
            let place = format!("{} line {}", file.name, index + 1);
            let trimmed = line.trim();
            let indented = line.starts_with([' ', '\t']);
            if trimmed.is_empty() || trimmed.starts_with(['#', ';']) || indented {
                // An indented line belongs to the value above it.
                continue;
            }
            if let Some(head) = trimmed.strip_prefix('[') {
                let Some((name, _)) = head.split_once(']') else {
                    wrong.push(format!("{place}: a section that is not closed by ]"));
                    current = None;
                    continue;
                };
                let words: Vec<&str> = name.split_whitespace().collect();
                let name = match words.as_slice() {
                    [kind @ ("profile" | "sso-session" | "services"), name] => {
                        format!("{kind} {}", name.trim_matches(['"', '\'']))
                    }
                    [name] => format!("profile {name}"),
                    _ => {
                        wrong.push(format!("{place}: a section without one name"));
                        current = None;
                        continue;
                    }
                };
                all.entry(name.clone()).or_default();
                current = Some(name);
            } else if let Some((key, value)) = trimmed.split_once('=') {
                let Some(keys) = current.as_ref().and_then(|name| all.get_mut(name)) else {
                    wrong.push(format!("{place}: a key outside of every section"));
                    continue;
                };
                let said = Said {
                    value: value.trim().to_owned(),
                    place,
                };
                keys.entry(key.trim().to_ascii_lowercase()).or_insert(said);
            } else {
                // The line is not repeated: it may be a key that somebody has pasted.
                wrong.push(format!("{place}: neither a section nor key = value"));
            }
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(config: &str, profile: Option<&str>, vars: &[(&str, &str)]) -> Hangs {
        let file = ProfileFile {
            name: "~/.aws/config".to_owned(),
            text: config.to_owned(),
        };
        hangs(&[file], profile, "us-east-1", |name| {
            let found = vars.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn what_needs_the_region_is_named_with_file_and_line() {
        let cases: [(&str, &str); 7] = [
            (
                "[profile dr]\nsso_session = corp\n[sso-session corp]\nsso_region = us-east-1\n",
                "IAM Identity Center in us-east-1 (sso_region, ~/.aws/config line 4)",
            ),
            ("[profile dr]\nsso_region = us-east-1\n", "line 2"),
            (
                "[profile dr]\nrole_arn = arn:aws:iam::1:role/x\nsource_profile = base\n[profile base]\nsso_region=us-east-1\n",
                "profile base signs in",
            ),
            (
                "[profile dr]\nrole_arn = arn:aws:iam::1:role/x\nregion = us-east-1\n",
                "role assumed at STS in us-east-1",
            ),
            (
                "[profile dr]\nendpoint_url = https://vpce-1.sts.us-east-1.vpce.amazonaws.com\n",
                "leads to vpce-1.sts.us-east-1.vpce.amazonaws.com",
            ),
            (
                "[profile dr]\nsts_regional_endpoints = legacy\n",
                "global STS",
            ),
            (
                "[profile dr]\ncredential_process = /opt/get --region us-east-1 --secret hunter2\n",
                "a command that names us-east-1",
            ),
        ];
        for (config, words) in cases {
            let found = found(config, Some("dr"), &[]);
            assert_eq!(found.on.len(), 1, "{config}: {found:?}");
            assert!(found.on[0].contains(words), "{config}: {found:?}");
            assert!(!format!("{found:?}").contains("hunter2"), "{found:?}");
        }
        let elsewhere = "[profile dr]\nsso_region = us-west-2\nregion = us-east-1\n";
        assert_eq!(found(elsewhere, Some("dr"), &[]), Hangs::default());
        assert_eq!(found("", None, &[]), Hangs::default());
    }

    #[test]
    fn variables_count_and_so_does_the_profile_that_they_name() {
        let vars = [
            ("AWS_PROFILE", "dr"),
            (
                "AWS_ENDPOINT_URL_STS",
                "https://sts.us-east-1.amazonaws.com",
            ),
            ("AWS_STS_REGIONAL_ENDPOINTS", "legacy"),
        ];
        let all = found("[profile dr]\nsso_region = us-east-1\n", None, &vars);
        assert_eq!(all.on.len(), 3, "{all:?}");
    }

    #[test]
    fn broken_and_hostile_files_are_doubts_with_file_and_line() {
        let cases = [
            (
                "[profile dr\nregion = x\n",
                "line 1: a section that is not closed",
            ),
            ("region = x\n", "line 1: a key outside"),
            ("[profile dr]\nAKIA-pasted-secret\n", "line 2: neither"),
            (
                "[profile a b c]\n[profile dr]\n",
                "line 1: a section without one name",
            ),
            (
                "[profile other]\n",
                "profile dr is in none of ~/.aws/config",
            ),
            ("[profile dr]\nsource_profile = dr\n", "builds on itself"),
            (
                "[profile dr]\ncredential_process = get\n",
                "what that needs",
            ),
            (
                "[profile dr]\ncredential_source = Ec2InstanceMetadata\n",
                "this machine",
            ),
        ];
        for (config, words) in cases {
            let found = found(config, Some("dr"), &[]);
            let said = found.doubts.join("; ");
            assert!(said.contains(words), "{config}: {found:?}");
            assert!(!said.contains("pasted-secret"), "{said}");
        }
    }
}
