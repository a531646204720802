//! The files that credentials are read from, and whether any of them has changed.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use crate::{incident::Side, plan::Plan};

/// Most files of a folder that are looked at: the SSO cache of a person has a handful.
const CACHED: usize = 64;

/// What tells one version of a file from another: a file that is written anew and renamed over has another inode, one that
/// is written in place another time or length.
type Stamp = (u64, i64, i64, u64);

/// The credential files of a plan and of this environment, as they were when last looked at.
#[derive(Clone, Debug, Default)]
pub struct CredentialFiles {
    files: Vec<PathBuf>,
    folders: Vec<PathBuf>,
    known: Option<BTreeMap<PathBuf, Stamp>>,
}

impl CredentialFiles {
    /// Those that the AWS and Kubernetes clients of a plan read. Nothing is looked at yet.
    #[must_use]
    pub fn of(plan: &Plan) -> Self {
        Self::with(plan, |name| std::env::var(name).ok())
    }

    fn with(plan: &Plan, var: impl Fn(&str) -> Option<String>) -> Self {
        let var = |name: &str| var(name).filter(|value| !value.is_empty());
        let home = var("HOME").map(PathBuf::from);
        let below = |path: &str| home.as_ref().map(|home| home.join(path));
        let named = |name: &str, usual: &str| var(name).map(PathBuf::from).or_else(|| below(usual));
        let mut files: Vec<PathBuf> = [
            named("AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials"),
            named("AWS_CONFIG_FILE", ".aws/config"),
            var("AWS_WEB_IDENTITY_TOKEN_FILE").map(PathBuf::from),
        ]
        .into_iter()
        .flatten()
        .collect();
        for side in Side::BOTH {
            let region = plan.side(side);
            files.extend(region.credentials_file.clone());
            files.extend(region.kube.kubeconfig.clone());
        }
        match var("KUBECONFIG") {
            Some(list) => files.extend(std::env::split_paths(&list)),
            None => files.extend(below(".kube/config")),
        }
        files.sort();
        files.dedup();
        Self {
            files,
            folders: below(".aws/sso/cache").into_iter().collect(),
            known: None,
        }
    }

    /// The files that have come, gone or changed since the last look; none at the first. Blocks on the disk, for one
    /// `stat` a file.
    pub fn changed(&mut self) -> Vec<PathBuf> {
        let mut seen = BTreeMap::new();
        let cached = self.folders.iter().flat_map(|folder| listed(folder));
        for path in self.files.iter().cloned().chain(cached) {
            if let Some(stamp) = stamp(&path) {
                seen.insert(path, stamp);
            }
        }
        let Some(known) = self.known.replace(seen) else {
            return Vec::new();
        };
        let seen = self.known.as_ref();
        let all = known
            .keys()
            .chain(seen.into_iter().flat_map(BTreeMap::keys));
        let mut changed: Vec<PathBuf> = all
            .filter(|path| known.get(*path) != seen.and_then(|seen| seen.get(*path)))
            .cloned()
            .collect();
        changed.sort();
        changed.dedup();
        changed
    }
}

fn listed(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let paths = entries.flatten().map(|entry| entry.path());
    paths
        .filter(|path| path.extension().is_some_and(|ext| ext == "json"))
        .take(CACHED)
        .collect()
}

fn stamp(path: &Path) -> Option<Stamp> {
    let found = fs::metadata(path).ok()?;
    Some((found.ino(), found.mtime(), found.mtime_nsec(), found.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::sample;

    #[test]
    fn what_was_written_anew_replaced_or_removed_is_told_once() {
        let home = tempfile::tempdir().expect("a folder");
        let aws = home.path().join(".aws");
        fs::create_dir_all(aws.join("sso/cache")).expect("a folder");
        let mut plan = sample::plan();
        let own = home.path().join("own");
        plan.recovery.credentials_file = Some(own.clone());
        let mut files = CredentialFiles::with(&plan, |name| {
            (name == "HOME").then(|| home.path().to_string_lossy().into_owned())
        });
        fs::write(&own, "[default]").expect("written");
        assert!(files.changed().is_empty(), "the first look is none");
        assert!(files.changed().is_empty());

        fs::write(&own, "[default] and more").expect("written");
        assert_eq!(files.changed(), std::slice::from_ref(&own));
        let new = home.path().join("new");
        fs::write(&new, "[default] and more").expect("written");
        fs::rename(&new, &own).expect("renamed");
        assert_eq!(
            files.changed(),
            std::slice::from_ref(&own),
            "the same text in a new file"
        );

        let token = aws.join("sso/cache/abc.json");
        fs::write(&token, "{}").expect("written");
        assert_eq!(files.changed(), [token]);
        fs::remove_file(&own).expect("removed");
        assert_eq!(files.changed(), [own]);
        assert!(files.changed().is_empty());
    }

    #[test]
    fn the_environment_says_where_they_lie() {
        let plan = sample::plan();
        let files = CredentialFiles::with(&plan, |name| match name {
            "AWS_SHARED_CREDENTIALS_FILE" => Some("/a/credentials".to_owned()),
            "AWS_WEB_IDENTITY_TOKEN_FILE" => Some("/a/token".to_owned()),
            "KUBECONFIG" => Some("/k/one:/k/two".to_owned()),
            _ => None,
        });
        for path in ["/a/credentials", "/a/token", "/k/one", "/k/two"] {
            assert!(
                files.files.contains(&PathBuf::from(path)),
                "{path}: {files:?}"
            );
        }
    }
}
