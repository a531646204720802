//! Who we are at AWS.

use serde::{Deserialize, Serialize};

use super::Moment;

/// What STS says of a side's credentials.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// `arn:aws:sts::111122223333:assumed-role/dr-operator/alice`.
    pub arn: String,
    /// The twelve digits of the account.
    pub account: String,
    /// The region whose STS endpoint answered.
    pub region: String,
    /// When the credentials end; `None` for long-lived keys.
    pub expires: Option<Moment>,
    /// Whether whoever gave them gives new ones by itself when they end: the instance, the container, a role that is assumed
    /// again. A person's login and a program of theirs do not: nobody knows what it asks for.
    #[serde(default)]
    pub renews: bool,
}
