//! The probes that ask AWS, and what they have in common.

use std::{sync::Arc, time::Duration};

use super::{agents, barrier, identity, made, recordings, rights, tables, tls, vault, zone};
use crate::{
    clients::aws::Aws,
    incident::{Side, Subject, TableRole},
    plan::Plan,
    probe::{Pace, Probe, Targets},
};

/// The pace of a probe that asks AWS: its own limits end a look earlier, with a better sentence; this one is for the
/// looks of several calls.
pub(super) const fn pace(interval: Duration) -> Pace {
    Pace {
        interval,
        timeout: Some(Duration::from_secs(20)),
    }
}

/// The probes that ask AWS: identities, tables, copies, recordings, the old load balancer and the hosted zone.
pub(in crate::probe) fn all(plan: &Arc<Plan>, targets: &Targets) -> Vec<Box<dyn Probe>> {
    let aws = Aws::new(plan);
    let mut probes: Vec<Box<dyn Probe>> = Vec::new();
    for side in Side::BOTH {
        let subject = Subject::Identity(side);
        let reach = aws.side(side).clone();
        probes.push(Box::new(identity::IdentityProbe::new(
            side,
            reach,
            plan.interval(&subject),
        )));
    }
    for side in Side::BOTH {
        for role in TableRole::BOTH {
            let reach = aws.side(side).clone();
            probes.push(Box::new(tables::TableProbe::new(side, role, plan, reach)));
        }
    }
    for role in TableRole::BOTH {
        let reach = aws.side(Side::Recovery).clone();
        probes.push(Box::new(vault::VaultProbe::new(role, plan, reach)));
    }
    for side in Side::BOTH {
        let bucket = plan.side(side).bucket.clone();
        let interval = plan.interval(&Subject::Recordings(side));
        let reach = aws.side(side).clone();
        probes.push(Box::new(recordings::RecordingsProbe::new(
            side, bucket, reach, interval,
        )));
    }
    let primary = aws.side(Side::Primary).clone();
    probes.push(Box::new(barrier::BarrierProbe::new(plan, primary, targets)));
    let recovery = aws.side(Side::Recovery);
    probes.push(Box::new(agents::AgentsProbe::new(
        plan.clone(),
        recovery.clone(),
        targets,
    )));
    if let Some(probe) = made::MadeProbe::new(plan, &aws) {
        probes.push(Box::new(probe));
    }
    probes.push(Box::new(rights::RightsProbe::new(
        plan.clone(),
        recovery.clone(),
    )));
    probes.push(Box::new(tls::TlsProbe::new(plan.clone(), recovery.clone())));
    probes.push(Box::new(zone::ZoneProbe::new(plan, aws.zone().clone())));
    probes
}
