//! Where the proxies of the recovery cluster get their certificate from, and how far it has come (guide, step 3:
//! "Provision credentials to the load balancer").

use serde::{Deserialize, Serialize};

use super::{Certificate, Moment, Part};

/// The ways that the recovery values name, and what ACM has besides.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tls {
    /// The recovery region.
    pub region: String,
    /// Each must be ready: none means that the proxies would make a certificate that nobody trusts.
    pub ways: Vec<Way>,
    /// What ACM has in the recovery region for the cluster's name, used or not.
    pub known: Part<Vec<Acm>>,
}

/// One way to a certificate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// A load balancer takes it from ACM.
    Acm {
        /// Its ARN, as values or plan name it.
        arn: String,
        /// What ACM says of it.
        found: Part<Acm>,
    },
    /// cert-manager issues it, and the chart keeps it in the Secret `teleport-tls`.
    Issuer {
        /// `Issuer letsencrypt`, `ClusterIssuer letsencrypt`.
        name: String,
        /// What the cluster says of it.
        found: Part<Issuer>,
    },
    /// It lies in a Secret that was made beforehand (`tls.existingSecretName`).
    Secret {
        /// The Secret's name.
        name: String,
        /// Its public part.
        found: Part<Certificate>,
    },
    /// The proxies ask Let's Encrypt themselves, which needs the name to point to them.
    Acme,
}

/// A certificate in ACM.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acm {
    /// Its ARN.
    pub arn: String,
    /// `ISSUED`, `PENDING_VALIDATION`, `EXPIRED`, …
    pub status: String,
    /// `AMAZON_ISSUED`, `IMPORTED`, `PRIVATE`.
    pub kind: String,
    /// The names it is for.
    pub names: Vec<String>,
    /// Until when it is valid.
    pub until: Option<Moment>,
    /// Why it failed, in ACM's word.
    pub reason: Option<String>,
    /// How each name is validated.
    pub validation: Vec<Validation>,
}

/// How ACM validates a name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Validation {
    /// The name.
    pub name: String,
    /// `DNS`, `EMAIL`, `HTTP`.
    pub method: String,
    /// `PENDING_VALIDATION`, `SUCCESS`, `FAILED`.
    pub status: String,
    /// The record to publish: name, type, value. ACM takes some seconds to make it up.
    pub record: Option<[String; 3]>,
}

/// A cert-manager Issuer or `ClusterIssuer`, and the Certificate of the chart if that is there already.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issuer {
    /// Whether its condition Ready is True, and its words.
    pub ready: Readiness,
    /// It proves names by records in Route 53 (DNS-01).
    pub route53: bool,
    /// It proves names by HTTP, which needs the name to point here.
    pub http: bool,
    /// The chart's Certificate, named after the release; made by the chart, so missing before the install.
    pub certificate: Option<Managed>,
}

/// A condition Ready.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Readiness {
    /// `True`, `False`, `Unknown`; `None` where nothing has set it yet.
    pub status: Option<bool>,
    /// Its reason and message.
    pub words: String,
}

/// A cert-manager Certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Managed {
    /// Whether it is ready.
    pub ready: Readiness,
    /// The names it is for.
    pub names: Vec<String>,
    /// Until when it is valid.
    pub until: Option<Moment>,
}

impl Acm {
    /// Whether it is issued.
    #[must_use]
    pub fn issued(&self) -> bool {
        self.status == "ISSUED"
    }
}

/// Which of the wanted names a certificate does not cover. A wildcard covers one label.
#[must_use]
pub fn lacking<'w>(wanted: &'w [String], names: &[String]) -> Vec<&'w str> {
    let covers = |name: &String, wanted: &str| {
        let name = name.to_ascii_lowercase();
        let wanted = wanted.to_ascii_lowercase();
        name == wanted
            || name.strip_prefix("*.").is_some_and(|parent| {
                wanted
                    .split_once('.')
                    .is_some_and(|(label, rest)| label != "*" && rest == parent)
            })
    };
    wanted
        .iter()
        .filter(|wanted| !names.iter().any(|name| covers(name, wanted)))
        .map(String::as_str)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wildcard_covers_one_label_and_not_itself() {
        let wanted = ["t.example.com".to_owned(), "*.t.example.com".to_owned()];
        let names = |names: &[&str]| {
            names
                .iter()
                .map(|&name| name.to_owned())
                .collect::<Vec<_>>()
        };
        assert!(lacking(&wanted, &names(&["T.example.com", "*.t.example.com"])).is_empty());
        assert_eq!(
            lacking(&wanted, &names(&["*.example.com"])),
            ["*.t.example.com"]
        );
        assert_eq!(lacking(&wanted, &[]).len(), 2);
    }
}
