//! What must be in place in the recovery region, asked for at once and each by itself: Kubernetes, Helm, the image's
//! registry, KMS. The noun is [`crate::incident::prerequisites`].

mod chart;
mod cluster;
mod registry;

use std::{io::Read as _, path::Path};

use futures::future::join_all;

use crate::{
    clients::{
        aws::{Aws, keys},
        kube,
    },
    incident::{
        Failure, FailureKind, Side,
        prerequisites::{Prerequisites, Wants, unasked},
    },
    plan::Plan,
};

/// No values file is larger.
const CAP: u64 = 4 << 20;

/// Looks once. The recovery values are read where they have been written, else the operator's own.
///
/// # Errors
/// If no values file can be read: then nobody knows what is needed.
pub async fn fetch(plan: &Plan) -> Result<Prerequisites, Failure> {
    let (path, text) = values(plan)?;
    let wants = Wants::read(&text, plan.cluster.version.as_deref())
        .map_err(|why| Failure::new(FailureKind::Garbage, format!("{path}: {why}; correct it")))?;
    let aws = Aws::new(plan);
    let reach = aws.side(Side::Recovery);
    let keys = plan
        .recovery
        .kms_keys
        .iter()
        .map(|key| async move { (key.clone(), Box::pin(keys::fetch(reach, key)).await) });
    let image = async {
        if plan.practice {
            Err(unasked("a practice asks nobody outside this machine"))
        } else {
            registry::there(&wants.image).await
        }
    };
    let (found, chart, image, keys) = tokio::join!(
        Box::pin(async {
            let kube = kube::connect(&plan.recovery.kube).await;
            cluster::look(plan, &wants, kube.as_ref().map_err(Clone::clone)).await
        }),
        Box::pin(chart::show(plan)),
        Box::pin(image),
        Box::pin(join_all(keys)),
    );
    Ok(Prerequisites {
        values: path,
        secrets: found.secrets,
        ingress_classes: found.classes,
        groups: found.groups,
        controllers: found.controllers,
        nodes: found.nodes,
        chart,
        pinned: plan.cluster.version.clone(),
        image: (wants.image.clone(), image),
        wants,
        keys,
    })
}

fn values(plan: &Plan) -> Result<(String, String), Failure> {
    let read = |path: &Path| {
        let mut text = String::new();
        std::fs::File::open(path)?
            .take(CAP)
            .read_to_string(&mut text)?;
        Ok::<_, std::io::Error>((path.display().to_string(), text))
    };
    if let Some(found) = plan
        .recovery
        .values
        .as_deref()
        .and_then(|path| read(path).ok())
    {
        return Ok(found);
    }
    let Some(path) = &plan.cluster.values else {
        return Err(Failure::new(
            FailureKind::NotPlanned,
            "the plan names no values file, so nobody knows what is needed: set `values` in [cluster]",
        ));
    };
    read(path).map_err(|error| {
        Failure::new(
            FailureKind::NotFound,
            format!(
                "{} cannot be read ({error}), so nobody knows what is needed: correct `values` in [cluster]",
                path.display()
            ),
        )
    })
}
