//! What the recovery region wants in the fields of a values file: the four of the guide's step 3, and the others that
//! must move with them (facts/teleport.md, T10). Pure, so that the step that writes and the judge that looks agree.

use super::Plan;
use crate::incident::{
    Component, TableRole,
    outline::{Outline, Path},
    values::{Field, Leftover, Setting, Values},
};

/// Most leftovers told of one file.
const MOST: usize = 20;

/// What is to be set in a values file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Moves {
    /// Paths with the values they are to have.
    pub set: Vec<(Path, String)>,
    /// What a person must look at, in words.
    pub notes: Vec<String>,
}

impl Plan {
    /// What is to be set in a values file of the primary, or in one that is the recovery's already: then it is what is
    /// there.
    ///
    /// # Errors
    /// In words, if the plan lacks one of the four names.
    pub fn moves(&self, outline: &Outline) -> Result<Moves, String> {
        let values = Values::of("", outline);
        let mut moves = Moves::default();
        for (key, value) in self.four(
            values.get(Component::Auth, &["aws", "athenaURL"]).is_some(),
            &values,
        ) {
            let value = value
                .filter(|value| !value.trim().is_empty())
                .ok_or_else(|| {
                    format!("the plan does not say what aws.{key} is in the recovery region")
                })?;
            moves
                .set
                .push((vec!["aws".to_owned(), key.to_owned()], value.to_owned()));
        }
        for setting in &values.settings {
            if moves.set.iter().any(|(path, _)| *path == setting.path) {
                continue;
            }
            if let Some(value) = self.moved(setting, &values) {
                moves.set.push((setting.path.clone(), value));
            }
        }
        for (path, value) in &self.recovery.set {
            moves.set.retain(|(known, _)| known != path);
            moves.set.push((path.clone(), value.clone()));
        }
        for (path, value) in super::drill::values(self, outline)? {
            moves.set.retain(|(known, _)| *known != path);
            moves.set.push((path, value));
        }
        moves.notes = self.notes(&values);
        Ok(moves)
    }

    /// The four fields of the guide with what the plan wants in them. A file that keeps its audit events in Athena alone
    /// is given no table for them: with both, the chart asks which is the first.
    fn four(&self, athena: bool, values: &Values) -> Vec<(&'static str, Option<&str>)> {
        let recovery = &self.recovery;
        let mut four = vec![
            ("region", Some(recovery.region.as_str())),
            ("backendTable", recovery.table(TableRole::State)),
            ("auditLogTable", recovery.table(TableRole::Audit)),
            ("sessionRecordingBucket", recovery.bucket.as_deref()),
        ];
        if athena && values.audit_table.is_none() {
            four.remove(2);
        }
        four
    }

    /// What a field should hold in the recovery region: `None` where what it holds is right, or nobody but a person can
    /// tell.
    #[must_use]
    pub fn moved(&self, setting: &Setting, values: &Values) -> Option<String> {
        let (old, new) = (&self.primary, &self.recovery);
        let value = setting.value.as_str();
        if let Some(own) = new.set.get(&setting.path) {
            return (own != value).then(|| own.clone());
        }
        let wanted = match Field::of(&setting.path)? {
            Field::Region => Some(new.region.clone()),
            Field::StateTable => new.state_table.clone(),
            Field::AuditTable => new.audit_table.clone(),
            Field::Bucket => new.bucket.clone(),
            Field::Certificates => self.certificates(value),
            Field::Issuer => new.issuer.clone(),
            Field::Role(Some(Component::Proxy)) => new.proxy_role.clone(),
            Field::Role(_) => new.auth_role.clone(),
            Field::KmsRegion => (value == old.region).then(|| new.region.clone()),
            Field::KmsAccount => (Some(value) == old.account.as_deref())
                .then(|| new.account.clone())
                .flatten(),
            Field::Sessions => {
                let moved = self.sessions(value, values);
                let drill = self.isolated();
                Some(drill.map_or(moved.clone(), |drill| {
                    super::drill::at_prefix(&moved, drill)
                }))
            }
            Field::Athena | Field::Monitoring | Field::MisplacedIssuer | Field::Other => None,
        };
        wanted.filter(|wanted| wanted != value)
    }

    /// Values as they will be when they are written for the recovery region.
    #[must_use]
    pub fn moving(&self, mut values: Values) -> Values {
        let before = values.clone();
        for setting in &mut values.settings {
            if let Some(value) = self.moved(setting, &before) {
                setting.value = value;
            }
        }
        values
    }

    /// The first value of an isolated drill's values that names what is real, in words; `None` outside of one.
    #[must_use]
    pub fn stranger(&self, outline: &Outline) -> Option<String> {
        super::drill::stranger(self, outline)
    }

    /// ARNs with those of the failed region replaced, where it is clear by which: the planned one, or the only one.
    fn certificates(&self, value: &str) -> Option<String> {
        let new = self.recovery.certificate.as_deref()?;
        let arns: Vec<&str> = value.split(',').map(str::trim).collect();
        let old = |arn: &str| match self.primary.certificate.as_deref() {
            Some(known) => arn == known,
            None => arns.len() == 1 && names_region(arn, &self.primary.region),
        };
        if !arns.iter().any(|arn| old(arn)) {
            return None;
        }
        let mut moved: Vec<&str> = Vec::with_capacity(arns.len());
        for arn in &arns {
            let arn = if old(arn) { new } else { arn };
            if !moved.contains(&arn) {
                moved.push(arn);
            }
        }
        Some(moved.join(","))
    }

    /// `s3://BUCKET/PATH?region=…&complete_initiators=…&sse_kms_key=…` with what is the primary's replaced.
    fn sessions(&self, uri: &str, values: &Values) -> String {
        let (old, new) = (&self.primary, &self.recovery);
        let (head, query) = uri
            .split_once('?')
            .map_or((uri, None), |(head, query)| (head, Some(query)));
        let head = match (&old.bucket, &new.bucket, head.strip_prefix("s3://")) {
            (Some(from), Some(to), Some(rest)) => match rest.strip_prefix(from.as_str()) {
                Some(path) if path.is_empty() || path.starts_with('/') => {
                    format!("s3://{to}{path}")
                }
                _ => head.to_owned(),
            },
            _ => head.to_owned(),
        };
        let Some(query) = query else { return head };
        let roles = self.renamed(values);
        let pairs: Vec<String> = query
            .split('&')
            .map(|pair| match pair.split_once('=') {
                Some(("region", value)) if value == old.region => format!("region={}", new.region),
                Some(("complete_initiators", value)) => {
                    let names = value.split(',').map(|name| match &roles {
                        Some((from, to)) if name == from => to.as_str(),
                        _ => name,
                    });
                    format!(
                        "complete_initiators={}",
                        names.collect::<Vec<_>>().join(",")
                    )
                }
                Some(("sse_kms_key", value)) => {
                    let key = self.replica(value).unwrap_or_else(|| value.to_owned());
                    format!("sse_kms_key={key}")
                }
                _ => pair.to_owned(),
            })
            .collect();
        format!("{head}?{}", pairs.join("&"))
    }

    /// Names of the Auth Service's role before and after, where both are known and differ: Auth completes only uploads
    /// that its own role began.
    fn renamed(&self, values: &Values) -> Option<(String, String)> {
        let name = |arn: &str| arn.rsplit('/').next().map(str::to_owned);
        let old = self.primary.auth_role.as_deref();
        let from = name(old.or_else(|| values.role(Component::Auth))?)?;
        let to = name(self.recovery.auth_role.as_deref()?)?;
        (from != to).then_some((from, to))
    }

    /// The recovery region's key for one of the primary's: the replica of the same id, or the only one there is.
    fn replica(&self, key: &str) -> Option<String> {
        let id = |arn: &str| arn.rsplit('/').next().unwrap_or(arn).to_owned();
        let (old, new) = (&self.primary.kms_keys, &self.recovery.kms_keys);
        if !old.iter().any(|known| known == key) {
            return None;
        }
        let same = new
            .iter()
            .find(|arn| id(arn) == id(key) && id(key).starts_with("mrk-"));
        match (same, old.as_slice(), new.as_slice()) {
            (Some(found), ..) | (None, [_], [found]) => Some(found.clone()),
            _ => None,
        }
    }

    fn notes(&self, values: &Values) -> Vec<String> {
        let mut notes = Vec::new();
        for setting in &values.settings {
            let path = setting.path.join(".");
            match Field::of(&setting.path) {
                Some(Field::MisplacedIssuer) => notes.push(format!(
                    "{path} is where the guide puts it and the chart does not look: it reads highAvailability.{path}"
                )),
                Some(Field::Certificates)
                    if self.moved(setting, values).is_none()
                        && names_region(&setting.value, &self.primary.region)
                        && self.primary.region != self.recovery.region =>
                {
                    notes.push(format!(
                        "{path} holds a certificate of {}: name the one of {} as certificate in [recovery]",
                        self.primary.region, self.recovery.region
                    ));
                }
                _ => {}
            }
        }
        notes
    }

    /// Lines of the recovery values that still name the failed region or its things. They are a person's to decide on.
    #[must_use]
    pub fn leftovers(&self, text: &str) -> Vec<Leftover> {
        let (primary, recovery) = (&self.primary, &self.recovery);
        let pairs = [
            (Some(&primary.region), Some(&recovery.region)),
            (primary.state_table.as_ref(), recovery.state_table.as_ref()),
            (primary.audit_table.as_ref(), recovery.audit_table.as_ref()),
            (primary.bucket.as_ref(), recovery.bucket.as_ref()),
            (primary.certificate.as_ref(), recovery.certificate.as_ref()),
            (primary.auth_role.as_ref(), recovery.auth_role.as_ref()),
            (primary.proxy_role.as_ref(), recovery.proxy_role.as_ref()),
        ];
        let old: Vec<&String> = pairs
            .into_iter()
            .filter(|(old, new)| old != new)
            .filter_map(|(old, _)| old)
            .collect();
        // A new name may contain the old one: `state` in `state-dr`. The longest goes first.
        let mut new: Vec<&str> = pairs
            .into_iter()
            .filter_map(|(_, new)| new)
            .chain(recovery.set.values())
            .map(String::as_str)
            .collect();
        new.sort_by_key(|name| std::cmp::Reverse(name.len()));
        let mut found = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let mut rest = line.split('#').next().unwrap_or_default().to_owned();
            for name in &new {
                rest = rest.replace(name, "");
            }
            if let Some(name) = old.iter().find(|old| rest.contains(old.as_str())) {
                found.push(Leftover {
                    line: index + 1,
                    names: (*name).clone(),
                });
            }
        }
        found.truncate(MOST);
        found
    }
}

/// Whether an ARN, or one of several, is of a region.
fn names_region(arns: &str, region: &str) -> bool {
    arns.split(',')
        .any(|arn| arn.split(':').nth(3) == Some(region))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::sample;

    fn plan() -> Plan {
        let mut plan = sample::plan();
        let role = |name: &str| Some(format!("arn:aws:iam::123456789012:role/{name}"));
        let certificate = |region: &str| {
            Some(format!(
                "arn:aws:acm:{region}:123456789012:certificate/{region}"
            ))
        };
        plan.primary.auth_role = role("auth-east");
        plan.recovery.auth_role = role("auth-west");
        plan.primary.certificate = certificate("us-east-1");
        plan.recovery.certificate = certificate("us-west-2");
        plan.recovery.issuer = Some("dr-issuer".to_owned());
        let key = |region: &str| format!("arn:aws:kms:{region}:123456789012:key/mrk-1");
        plan.primary.kms_keys = vec![key("us-east-1")];
        plan.recovery.kms_keys = vec![key("us-west-2")];
        let own = vec!["aws".to_owned(), "athenaURL".to_owned()];
        plan.recovery.set.insert(own, "athena://west".to_owned());
        plan
    }

    const TEXT: &str = "clusterName: a\naws:\n  region: us-east-1\n  athenaURL: athena://east\n\
        auth:\n  teleportConfig:\n    auth_service: {ca_key_params: {aws_kms: {region: us-east-1, account: '123456789012'}}}\n\
        \u{20}   teleport:\n      storage:\n        table_name: east-state\n        audit_sessions_uri: s3://east-recordings/p?region=us-east-1&complete_initiators=auth-east,other&sse_kms_key=arn:aws:kms:us-east-1:123456789012:key/mrk-1&acl=x\n\
        annotations:\n  serviceAccount: {eks.amazonaws.com/role-arn: arn:aws:iam::123456789012:role/auth-east}\n\
        \u{20} ingress: {alb.ingress.kubernetes.io/certificate-arn: 'arn:aws:acm:us-east-1:123456789012:certificate/us-east-1,arn:aws:acm:us-east-1:1:certificate/other'}\n\
        highAvailability: {certManager: {issuerName: old}}\ncertManager: {issuerName: wrong}\n";

    fn found<'m>(moves: &'m Moves, key: &str) -> Option<&'m str> {
        moves
            .set
            .iter()
            .find(|(path, _)| path.join(".").ends_with(key))
            .map(|(_, value)| value.as_str())
    }

    #[test]
    fn every_field_that_belongs_to_a_region_moves() {
        let plan = plan();
        let moves = plan
            .moves(&Outline::read(TEXT).expect("YAML"))
            .expect("moves");
        for (key, value) in [
            ("aws.region", Some("us-west-2")),
            ("aws.backendTable", Some("west-state")),
            ("aws.sessionRecordingBucket", Some("west-recordings")),
            // Athena alone keeps the audit events: no table comes beside it.
            ("aws.auditLogTable", None),
            ("aws.athenaURL", Some("athena://west")),
            ("aws_kms.region", Some("us-west-2")),
            ("aws_kms.account", None),
            ("storage.table_name", Some("west-state")),
            (
                "audit_sessions_uri",
                Some(
                    "s3://west-recordings/p?region=us-west-2&complete_initiators=auth-west,other&sse_kms_key=arn:aws:kms:us-west-2:123456789012:key/mrk-1&acl=x",
                ),
            ),
            ("role-arn", Some("arn:aws:iam::123456789012:role/auth-west")),
            (
                "certificate-arn",
                Some(
                    "arn:aws:acm:us-west-2:123456789012:certificate/us-west-2,arn:aws:acm:us-east-1:1:certificate/other",
                ),
            ),
            ("highAvailability.certManager.issuerName", Some("dr-issuer")),
        ] {
            assert_eq!(found(&moves, key), value, "{key}");
        }
        assert!(!moves.set.iter().any(|(path, _)| path[0] == "certManager"));
        assert!(
            moves
                .notes
                .iter()
                .any(|note| note.contains("reads highAvailability.certManager.issuerName")),
            "{:?}",
            moves.notes
        );
    }

    #[test]
    fn what_the_plan_does_not_say_stays_and_is_pointed_out() {
        let mut plan = sample::plan();
        plan.recovery.audit_table = None;
        let outline = Outline::read(TEXT).expect("YAML");
        let moves = plan.moves(&outline).expect("no audit table is needed");
        for key in ["role-arn", "certificate-arn", "issuerName", "athenaURL"] {
            assert_eq!(found(&moves, key), None, "{key}");
        }
        assert!(
            moves
                .notes
                .iter()
                .any(|note| note.contains("certificate in [recovery]"))
        );
        let left: Vec<usize> = plan.leftovers(TEXT).iter().map(|left| left.line).collect();
        assert!(
            left.contains(&3) && left.contains(&11) && !left.contains(&1),
            "{left:?}"
        );
        let why = plan.moves(&Outline::read("clusterName: a\n").expect("YAML"));
        assert!(why.expect_err("no table").contains("aws.auditLogTable"));
    }

    #[test]
    fn what_has_moved_does_not_move_again() {
        let plan = plan();
        let outline = Outline::read(TEXT).expect("YAML");
        let values = Values::of("", &outline);
        let moves = plan.moves(&outline).expect("moves");
        for (path, value) in moves.set {
            let setting = Setting { path, value };
            assert_eq!(plan.moved(&setting, &values), None, "{setting:?}");
        }
    }
}
