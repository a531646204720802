//! ARC routing controls of the names: one for each side, and a safety rule that one of them is On.

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::incident::Side;

/// The regions of a cluster's five endpoints.
pub const REGIONS: [&str; 5] = [
    "ap-northeast-1",
    "ap-southeast-2",
    "eu-west-1",
    "us-east-1",
    "us-west-2",
];

/// `[arc]` of a scenario: the names have failover records that hang on routing controls, and the plan names those.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Arc {
    /// Regions of endpoints that give no service.
    pub dead: BTreeSet<String>,
}

/// How the routing controls stand.
#[derive(Clone, Copy, Debug)]
pub struct Controls([bool; 2]);

impl Default for Controls {
    fn default() -> Self {
        Self([true, false])
    }
}

impl Controls {
    /// ARN of a side's routing control.
    #[must_use]
    pub fn arn(account: &str, side: Side) -> String {
        format!("{}/routingcontrol/{side}", panel(account))
    }

    /// ARN of the safety rule.
    #[must_use]
    pub fn rule(account: &str) -> String {
        format!("{}/safetyrule/one-is-on", panel(account))
    }

    /// Whether a side's is On.
    #[must_use]
    pub const fn on(self, side: Side) -> bool {
        self.0[side as usize]
    }

    /// Whether the names' health checks send them to the recovery region.
    #[must_use]
    pub const fn failed_over(self) -> bool {
        !self.on(Side::Primary) && self.on(Side::Recovery)
    }

    /// Turns some of them, all or none; without one that is On only where the rule is overridden.
    #[must_use]
    pub fn turn(mut self, states: &[(Side, bool)], overridden: bool) -> Option<Self> {
        for (side, on) in states {
            self.0[*side as usize] = *on;
        }
        (overridden || self.0.contains(&true)).then_some(self)
    }
}

fn panel(account: &str) -> String {
    format!("arn:aws:route53-recovery-control::{account}:controlpanel/practice")
}
