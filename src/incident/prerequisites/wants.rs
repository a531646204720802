//! What a values file asks of the cluster that the chart goes into.

use serde::{Deserialize, Serialize};

use crate::incident::outline::Outline;

/// The images that the chart runs unless the values say otherwise.
pub(super) const IMAGE: &str = "public.ecr.aws/gravitational/teleport-distroless";
/// See [`IMAGE`].
pub(super) const ENTERPRISE_IMAGE: &str = "public.ecr.aws/gravitational/teleport-ent-distroless";
/// The annotation by which a Service asks for a load balancer, and the values that only the AWS Load Balancer Controller
/// serves (facts/teleport.md, 1.5).
pub(super) const BALANCER_TYPE: &str = "service.beta.kubernetes.io/aws-load-balancer-type";
/// See [`BALANCER_TYPE`].
const BY_CONTROLLER: [&str; 3] = ["external", "nlb-ip", "nlb-instance"];

/// What the values ask for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of the values file by its own name"
)]
pub struct Wants {
    /// Name of the licence's Secret; `None` unless `enterprise`.
    pub licence: Option<String>,
    /// `imagePullSecrets`.
    pub pull: Vec<String>,
    /// `tls.existingSecretName`.
    pub tls: Option<String>,
    /// `tls.existingCASecretName`.
    pub ca: Option<String>,
    /// The class of the Ingress, where there is one.
    pub ingress_class: Option<String>,
    /// Whether only the AWS Load Balancer Controller makes the load balancer.
    pub controller: bool,
    /// `highAvailability.certManager.enabled`.
    pub cert_manager: bool,
    /// `operator.enabled`.
    pub operator: bool,
    /// `installCRDs` is not `never`: the chart brings the operator's own.
    pub brings_crds: bool,
    /// Registry, name and tag of the image.
    pub image: String,
    /// Pods of the Auth Service and of the Proxy Service, with what each requests.
    pub pods: [PodWants; 2],
    /// `highAvailability.requireAntiAffinity`: no two of a kind on one node.
    pub apart: bool,
    /// Whether `ca_key_params.aws_kms` is set: the authorities' private keys lie in KMS.
    #[serde(default)]
    pub kms: bool,
}

/// Pods of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PodWants {
    /// How many.
    pub count: u32,
    /// Requested CPU of each, in thousandths.
    pub cpu: u64,
    /// Requested memory of each, in bytes.
    pub memory: u64,
}

impl Wants {
    /// Reads what a values file asks for. `version` is the chart's, which is the image's tag.
    ///
    /// # Errors
    /// If the text is no values file, with line and column.
    pub fn read(text: &str, version: Option<&str>) -> Result<Self, String> {
        let values = Outline::read(text)?;
        let get = |path: &[&str]| values.get(path).map(str::to_owned);
        let on = |path: &[&str]| values.get(path) == Some("true");
        let enterprise = on(&["enterprise"]);
        let ingress = on(&["ingress", "enabled"]);
        let has_alb = values.scalars.keys().any(|path| {
            path.first().is_some_and(|first| first == "annotations")
                && path
                    .last()
                    .is_some_and(|key| key.starts_with("alb.ingress.kubernetes.io/"))
        });
        let class = get(&["ingress", "spec", "ingressClassName"])
            .or_else(|| get(&["annotations", "ingress", "kubernetes.io/ingress.class"]))
            .or_else(|| has_alb.then(|| "alb".to_owned()))
            .filter(|_| ingress);
        let kind = values.get(&["annotations", "service", BALANCER_TYPE]);
        let external = kind.is_some_and(|kind| BY_CONTROLLER.contains(&kind));
        let default = if enterprise { ENTERPRISE_IMAGE } else { IMAGE };
        let key = if enterprise {
            "enterpriseImage"
        } else {
            "image"
        };
        let image = get(&[key]).unwrap_or_else(|| default.to_owned());
        let tag = get(&["teleportVersionOverride"])
            .or_else(|| version.map(|version| version.trim_start_matches('v').to_owned()));
        let crds = get(&["operator", "installCRDs"]).or_else(|| get(&["installCRDs"]));
        Ok(Self {
            licence: enterprise
                .then(|| get(&["licenseSecretName"]).unwrap_or_else(|| "license".to_owned())),
            pull: values
                .all
                .iter()
                .filter(|(path, _)| {
                    path.first()
                        .is_some_and(|first| first == "imagePullSecrets")
                        && path.last().is_some_and(|last| last == "name")
                })
                .map(|(_, name)| name.clone())
                .take(16)
                .collect(),
            tls: get(&["tls", "existingSecretName"]),
            ca: get(&["tls", "existingCASecretName"]),
            controller: external || class.as_deref() == Some("alb"),
            ingress_class: class,
            cert_manager: on(&["highAvailability", "certManager", "enabled"]),
            operator: on(&["operator", "enabled"]),
            brings_crds: crds.as_deref() != Some("never") && crds.as_deref() != Some("false"),
            image: match tag {
                Some(tag) if !image.contains('@') => format!("{image}:{tag}"),
                _ => image,
            },
            pods: pods(&values),
            apart: on(&["highAvailability", "requireAntiAffinity"]),
            kms: values
                .scalars
                .keys()
                .any(|path| path.iter().any(|key| key == "aws_kms")),
        })
    }
}

fn pods(values: &Outline) -> [PodWants; 2] {
    let count = |path: &[&str]| values.get(path).and_then(|count| count.parse::<u32>().ok());
    let auths = count(&["highAvailability", "replicaCount"]).unwrap_or(1);
    // With a certificate supplied, proxies are two at least (facts/teleport.md, T11).
    let proxies = count(&["proxy", "highAvailability", "replicaCount"]).unwrap_or(auths.max(2));
    [("auth", auths), ("proxy", proxies)].map(|(kind, count)| {
        let request = |what: &str| {
            values
                .get(&[kind, "resources", "requests", what])
                .or_else(|| values.get(&["resources", "requests", what]))
                .and_then(quantity)
        };
        PodWants {
            count: count.min(100),
            cpu: request("cpu").map_or(0, |(whole, thousandths)| whole * 1_000 + thousandths),
            memory: request("memory").map_or(0, |(whole, _)| whole),
        }
    })
}

/// A quantity as Kubernetes writes it: the whole, and thousandths of one. `500m`, `2`, `1.5`, `512Mi`, `1G`.
#[must_use]
pub fn quantity(text: &str) -> Option<(u64, u64)> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = &text[digits.len()..];
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let whole: u64 = whole.parse().ok()?;
    let mut thousandths = 0;
    for (place, digit) in [100, 10, 1].into_iter().zip(part.chars()) {
        thousandths += place * u64::from(digit.to_digit(10)?);
    }
    let kibi = |power: u32| 1_024_u64.pow(power);
    let kilo = |power: u32| 1_000_u64.pow(power);
    let factor = match unit {
        "" => return Some((whole, thousandths)),
        "m" => return Some((whole / 1_000, whole % 1_000)),
        "k" => kilo(1),
        "M" => kilo(2),
        "G" => kilo(3),
        "T" => kilo(4),
        "Ki" => kibi(1),
        "Mi" => kibi(2),
        "Gi" => kibi(3),
        "Ti" => kibi(4),
        _ => return None,
    };
    let whole = whole.checked_mul(factor)?;
    Some((whole.checked_add(thousandths * factor / 1_000)?, 0))
}
