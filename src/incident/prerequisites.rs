//! What must be in place in the recovery region before the chart is installed, as the values ask for it.

mod wants;

use serde::{Deserialize, Serialize};

pub use wants::{PodWants, Wants, quantity};

use super::{Failure, FailureKind, Part};

/// What an [`Item`] of a KMS key is about.
pub const KMS_KEY: &str = "KMS key";

/// What was seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Prerequisites {
    /// The values file that they rest on.
    pub values: String,
    /// What it asks for.
    pub wants: Wants,
    /// The Secrets that it names: name, what for, and whether it is there.
    pub secrets: Vec<(String, String, Part<bool>)>,
    /// Names of the `IngressClass`es; `None` where nobody asks for one.
    pub ingress_classes: Option<Part<Vec<String>>>,
    /// API groups of the cluster; `None` where nobody asks for one.
    pub groups: Option<Part<Vec<String>>>,
    /// Deployments of controllers, by label.
    pub controllers: Part<Vec<Controller>>,
    /// Room on the nodes.
    pub nodes: Part<Vec<NodeRoom>>,
    /// The chart as Helm shows it: name and version.
    pub chart: Part<(String, String)>,
    /// The version that the plan pins.
    pub pinned: Option<String>,
    /// The image, and whether its registry has it, as seen from here.
    pub image: (String, Part<()>),
    /// The plan's KMS keys of the recovery region.
    pub keys: Vec<(String, Part<Key>)>,
}

/// A controller's Deployment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Controller {
    /// `app.kubernetes.io/name`.
    pub app: String,
    /// Namespace and name.
    pub name: String,
    /// `status.availableReplicas`.
    pub available: u32,
}

/// Room on a node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeRoom {
    /// Its name.
    pub name: String,
    /// Ready, not cordoned, and without a taint that keeps pods away.
    pub usable: bool,
    /// CPU that is free, in thousandths: allocatable less requests.
    pub cpu: u64,
    /// Memory that is free, in bytes.
    pub memory: u64,
    /// Pods that still fit.
    pub pods: u64,
}

/// A KMS key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    /// Its ARN.
    pub arn: String,
    /// `Enabled`, `Disabled`, `PendingDeletion`, …
    pub state: String,
    /// Whether it is a multi-Region key.
    pub multi_region: bool,
}

/// How one of them stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// The values do not ask for it.
    NotNeeded,
    /// It is there.
    Met,
    /// It could not be seen from here, and nothing rests on that alone: said, and in nobody's way.
    Unseen,
    /// There is no telling.
    Unclear,
    /// It is not there.
    Missing,
}

/// One of them, judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// What.
    pub what: String,
    /// How it stands.
    pub standing: Standing,
    /// In words, with what to do where it is missing.
    pub sentence: String,
}

impl Prerequisites {
    /// Every item. `failed` and `recovery` are the regions' names: an image that lies in the failed one cannot be pulled.
    #[must_use]
    pub fn items(&self, failed: &str, recovery: &str) -> Vec<Item> {
        let mut items = self.secret_items();
        items.push(self.class_item());
        items.push(self.controller_item());
        items.extend(self.third_party());
        items.push(self.room_item());
        items.push(self.chart_item());
        items.push(self.image_item(failed, recovery));
        items.extend(self.key_items());
        items
    }

    fn secret_items(&self) -> Vec<Item> {
        let wants = &self.wants;
        let unasked = [
            (wants.licence.is_none(), "licence", "enterprise is not true"),
            (
                wants.pull.is_empty(),
                "image pull Secrets",
                "imagePullSecrets is empty",
            ),
            (
                wants.tls.is_none(),
                "TLS Secret",
                "tls.existingSecretName is not set",
            ),
            (
                wants.ca.is_none(),
                "CA Secret",
                "tls.existingCASecretName is not set",
            ),
        ];
        let unasked = unasked
            .into_iter()
            .filter(|(unasked, ..)| *unasked)
            .map(|(_, what, why)| not_needed(what, why));
        let asked = self.secrets.iter().map(|(name, what, there)| match there {
            Ok(true) => item(what, Standing::Met, format!("Secret {name} is there")),
            Ok(false) => item(
                what,
                Standing::Missing,
                format!("Secret {name} is not in the namespace: create it from where it is kept before the install"),
            ),
            Err(why) => item(what, Standing::Unclear, format!("Secret {name}: {why}")),
        });
        asked.chain(unasked).collect()
    }

    fn class_item(&self) -> Item {
        let what = "Ingress class";
        match (&self.wants.ingress_class, &self.ingress_classes) {
            (None, _) => not_needed(what, "the values have no Ingress"),
            (Some(class), Some(Ok(found))) if found.contains(class) => {
                item(what, Standing::Met, format!("{class} is there"))
            }
            (Some(class), Some(Ok(found))) => item(
                what,
                Standing::Missing,
                format!(
                    "there is no IngressClass {class} (there: {}): nobody would make the load balancer",
                    list(found)
                ),
            ),
            (Some(class), Some(Err(why))) => {
                item(what, Standing::Unclear, format!("{class}: {why}"))
            }
            (Some(class), None) => item(
                what,
                Standing::Unclear,
                format!("{class} was not looked for"),
            ),
        }
    }

    fn controller_item(&self) -> Item {
        let what = "load balancer controller";
        if !self.wants.controller {
            return not_needed(
                what,
                "neither annotations nor Ingress ask for the AWS Load Balancer Controller",
            );
        }
        self.deployed(what, "aws-load-balancer-controller")
    }

    fn deployed(&self, what: &str, app: &str) -> Item {
        match &self.controllers {
            Err(why) => item(what, Standing::Unclear, format!("{app}: {why}")),
            Ok(all) => {
                let mine: Vec<&Controller> = all.iter().filter(|one| one.app == app).collect();
                match mine.iter().find(|one| one.available > 0) {
                    Some(ready) => {
                        item(what, Standing::Met, format!("{} is available", ready.name))
                    }
                    None if mine.is_empty() => item(
                        what,
                        Standing::Missing,
                        format!(
                            "no Deployment is labelled app.kubernetes.io/name={app}: install it first"
                        ),
                    ),
                    None => item(
                        what,
                        Standing::Missing,
                        format!("{} has no available pod", mine[0].name),
                    ),
                }
            }
        }
    }

    fn third_party(&self) -> Vec<Item> {
        let wants = &self.wants;
        let group = |what: &str, group: &str| match &self.groups {
            Some(Ok(found)) if found.iter().any(|one| one == group) => {
                item(what, Standing::Met, format!("API group {group} is served"))
            }
            Some(Ok(_)) => item(
                what,
                Standing::Missing,
                format!("API group {group} is not served: its CRDs are not installed"),
            ),
            Some(Err(why)) => item(what, Standing::Unclear, format!("{group}: {why}")),
            None => item(
                what,
                Standing::Unclear,
                format!("{group} was not looked for"),
            ),
        };
        let mut items = Vec::new();
        if wants.cert_manager {
            items.push(group("cert-manager CRDs", "cert-manager.io"));
            items.push(self.deployed("cert-manager", "cert-manager"));
        } else {
            items.push(not_needed(
                "cert-manager",
                "highAvailability.certManager.enabled is not true",
            ));
        }
        items.push(match (wants.operator, wants.brings_crds) {
            (false, _) => not_needed("operator CRDs", "operator.enabled is not true"),
            (true, true) => not_needed("operator CRDs", "the chart brings them itself"),
            (true, false) => group("operator CRDs", "resources.teleport.dev"),
        });
        items
    }

    fn room_item(&self) -> Item {
        let what = "node capacity";
        let nodes = match &self.nodes {
            Ok(nodes) => nodes,
            Err(why) => return item(what, Standing::Unclear, why.to_string()),
        };
        let usable = nodes.iter().filter(|node| node.usable).count();
        let count: u32 = self.wants.pods.iter().map(|kind| kind.count).sum();
        let told = format!("{usable} of {} nodes usable", nodes.len());
        let most = self.wants.pods.iter().map(|kind| kind.count).max();
        let lack = if usable == 0 {
            Some(format!("{told}: no pod can be scheduled"))
        } else if self.wants.apart && most.is_some_and(|most| most as usize > usable) {
            Some(format!(
                "{told}, and requireAntiAffinity wants a node for each of {} pods of a kind",
                most.unwrap_or_default()
            ))
        } else {
            unplaced(nodes, &self.wants).map(|lack| format!("{told}: {lack}"))
        };
        match lack {
            None => item(what, Standing::Met, format!("{told}, {count} pods fit")),
            Some(lack) => match self.scaler() {
                // Nodes are made when pods wait for them.
                Some(scaler) => item(
                    what,
                    Standing::Unseen,
                    format!("{lack}; {scaler} may add nodes"),
                ),
                None => item(what, Standing::Missing, format!("{lack}; add nodes first")),
            },
        }
    }

    fn scaler(&self) -> Option<&str> {
        let all = self.controllers.as_ref().ok()?;
        all.iter()
            .find(|one| {
                one.available > 0 && (one.app.contains("autoscaler") || one.app == "karpenter")
            })
            .map(|one| one.name.as_str())
    }

    fn chart_item(&self) -> Item {
        let what = "chart";
        match (&self.chart, &self.pinned) {
            (Err(why), _) => {
                let standing = match why.kind {
                    FailureKind::Timeout => Standing::Unclear,
                    _ => Standing::Missing,
                };
                item(what, standing, why.to_string())
            }
            (Ok((name, _)), None) => item(
                what,
                Standing::Unclear,
                format!("{name} is there, and the plan pins no version: add version to [cluster]"),
            ),
            (Ok((name, version)), Some(pinned))
                if version.trim_start_matches('v') == pinned.trim_start_matches('v') =>
            {
                item(what, Standing::Met, format!("{name} {version} can be had"))
            }
            (Ok((name, version)), Some(pinned)) => item(
                what,
                Standing::Missing,
                format!("{name} {version} is there, and the plan pins {pinned}"),
            ),
        }
    }

    fn image_item(&self, failed: &str, recovery: &str) -> Item {
        let what = "image";
        let (image, there) = &self.image;
        if let Some(region) = ecr_region(image)
            && region == failed
            && failed != recovery
        {
            return item(
                what,
                Standing::Missing,
                format!(
                    "{image} lies in ECR of {failed}, the failed region: nodes in {recovery} cannot pull it. Replicate it, \
                     and name the copy in the values"
                ),
            );
        }
        match there {
            Ok(()) => item(
                what,
                Standing::Met,
                format!("{image} can be had, as seen from here"),
            ),
            Err(why) if why.kind == FailureKind::NotFound => {
                item(what, Standing::Missing, format!("{image}: {}", why.detail))
            }
            Err(why) => item(
                what,
                Standing::Unseen,
                format!("{image}: whether nodes can pull it is not known from here ({why})"),
            ),
        }
    }

    fn key_items(&self) -> Vec<Item> {
        let what = KMS_KEY;
        if self.keys.is_empty() {
            return vec![not_needed(what, "the plan names no kms_keys in [recovery]")];
        }
        let each = self.keys.iter().map(|(named, key)| match key {
            Err(why) => item(what, Standing::Unclear, format!("{named}: {why}")),
            Ok(key) if key.state != "Enabled" => item(
                what,
                Standing::Missing,
                format!("{} is {}: what it has encrypted cannot be read", key.arn, key.state),
            ),
            Ok(key) if !key.multi_region => item(
                what,
                Standing::Met,
                format!("{} is Enabled; it is no multi-Region key, so it opens nothing that the primary's has encrypted", key.arn),
            ),
            Ok(key) => item(what, Standing::Met, format!("{} is Enabled", key.arn)),
        });
        each.collect()
    }
}

/// The region of a private ECR registry's host name: `ACCOUNT.dkr.ecr.REGION.amazonaws.com`.
fn ecr_region(image: &str) -> Option<&str> {
    let host = image.split('/').next()?;
    let (_, rest) = host
        .split_once(".dkr.ecr.")
        .or_else(|| host.split_once(".dkr-ecr."))?;
    rest.split('.').next()
}

/// Why not all pods find room: placed one after the other, largest kind first, each where most memory is free.
fn unplaced(nodes: &[NodeRoom], wants: &Wants) -> Option<String> {
    let mut free: Vec<NodeRoom> = nodes.iter().filter(|node| node.usable).cloned().collect();
    let mut kinds = wants.pods;
    kinds.sort_by_key(|kind| std::cmp::Reverse((kind.memory, kind.cpu)));
    for kind in kinds {
        for placed in 0..kind.count {
            let place = free
                .iter_mut()
                .filter(|node| node.pods > 0 && node.cpu >= kind.cpu && node.memory >= kind.memory)
                .max_by_key(|node| (node.memory, node.cpu));
            let Some(node) = place else {
                return Some(format!(
                    "only {placed} of {} pods that request {}m CPU and {} MiB find room",
                    kind.count,
                    kind.cpu,
                    kind.memory >> 20
                ));
            };
            node.pods -= 1;
            node.cpu -= kind.cpu;
            node.memory -= kind.memory;
        }
    }
    None
}

fn item(what: &str, standing: Standing, sentence: String) -> Item {
    Item {
        what: what.to_owned(),
        standing,
        sentence,
    }
}

fn not_needed(what: &str, why: &str) -> Item {
    item(
        what,
        Standing::NotNeeded,
        format!("not needed, because {why}"),
    )
}

fn list(names: &[String]) -> String {
    if names.is_empty() {
        "none".to_owned()
    } else {
        names.join(", ")
    }
}

/// A part that nobody asked for.
#[must_use]
pub fn unasked(why: &str) -> Failure {
    Failure::new(FailureKind::NotPlanned, why)
}

#[cfg(test)]
#[path = "prerequisites_tests.rs"]
pub(crate) mod tests;
