//! What values ask for, and what is said of what was found.

use super::{
    wants::{BALANCER_TYPE, ENTERPRISE_IMAGE},
    *,
};

const MI: u64 = 1 << 20;

/// Everything in place, for values that ask for nothing special.
pub(crate) fn met() -> Prerequisites {
    let node = |name: &str| NodeRoom {
        name: name.to_owned(),
        usable: true,
        cpu: 2_000,
        memory: 4_096 * MI,
        pods: 20,
    };
    let wants = Wants::read("clusterName: a.b\n", Some("17.0.2")).expect("values");
    Prerequisites {
        values: "/etc/values.yaml".to_owned(),
        image: (wants.image.clone(), Ok(())),
        wants,
        secrets: Vec::new(),
        ingress_classes: None,
        groups: None,
        controllers: Ok(Vec::new()),
        nodes: Ok(vec![node("a"), node("b")]),
        chart: Ok(("teleport-cluster".to_owned(), "17.0.2".to_owned())),
        pinned: Some("17.0.2".to_owned()),
        keys: Vec::new(),
    }
}

fn of(seen: &Prerequisites, what: &str) -> (Standing, String) {
    let items = seen.items("us-east-1", "us-west-2");
    let found = items.into_iter().find(|item| item.what == what);
    let found = found.unwrap_or_else(|| unreachable!("no {what}"));
    (found.standing, found.sentence)
}

#[test]
fn values_say_what_is_needed() {
    let text = "enterprise: true\nimagePullSecrets:\n- name: pull\n- name: more\ntls:\n  existingCASecretName: ca\n\
        ingress:\n  enabled: true\nservice:\n  type: ClusterIP\nannotations:\n  ingress:\n    \
        alb.ingress.kubernetes.io/scheme: internal\nhighAvailability:\n  replicaCount: 2\n  requireAntiAffinity: true\n  \
        certManager:\n    enabled: true\noperator:\n  enabled: true\n  installCRDs: never\nauth:\n  resources:\n    \
        requests:\n      cpu: 500m\n      memory: 1Gi\nresources:\n  requests:\n    memory: 512Mi\n";
    let wants = Wants::read(text, Some("v18.2.4")).expect("values");
    assert_eq!(wants.licence.as_deref(), Some("license"));
    assert_eq!(wants.pull, ["pull", "more"]);
    assert_eq!((wants.tls, wants.ca.as_deref()), (None, Some("ca")));
    assert_eq!(wants.ingress_class.as_deref(), Some("alb"));
    assert!(wants.controller && wants.cert_manager && wants.operator && wants.apart);
    assert!(!wants.brings_crds);
    assert_eq!(wants.image, format!("{ENTERPRISE_IMAGE}:18.2.4"));
    let [auth, proxy] = wants.pods;
    assert_eq!((auth.count, auth.cpu, auth.memory), (2, 500, 1_024 * MI));
    assert_eq!((proxy.count, proxy.cpu, proxy.memory), (2, 0, 512 * MI));
    let nlb = format!("annotations:\n  service:\n    {BALANCER_TYPE}: nlb\n");
    assert!(!Wants::read(&nlb, None).expect("values").controller);
    let external = nlb.replace(": nlb", ": external");
    assert!(Wants::read(&external, None).expect("values").controller);
}

#[test]
fn quantities_are_read_as_kubernetes_writes_them() {
    let cases = [
        ("2", Some((2, 0))),
        ("500m", Some((0, 500))),
        ("1500m", Some((1, 500))),
        ("1.5", Some((1, 500))),
        ("512Mi", Some((512 * MI, 0))),
        ("1.5Gi", Some((1_536 * MI, 0))),
        ("1G", Some((1_000_000_000, 0))),
        ("x", None),
        ("1Q", None),
        ("", None),
    ];
    for (text, read) in cases {
        assert_eq!(quantity(text), read, "{text}");
    }
}

#[test]
fn what_nobody_asks_for_is_not_needed_and_says_why() {
    let seen = met();
    for what in [
        "licence",
        "image pull Secrets",
        "TLS Secret",
        "CA Secret",
        "Ingress class",
        "load balancer controller",
        "cert-manager",
        "operator CRDs",
        "KMS key",
    ] {
        let (standing, told) = of(&seen, what);
        assert_eq!(standing, Standing::NotNeeded, "{what}");
        assert!(told.starts_with("not needed, because "), "{told}");
    }
    for what in ["node capacity", "chart", "image"] {
        assert_eq!(of(&seen, what).0, Standing::Met, "{what}");
    }
}

#[test]
fn an_image_in_the_failed_region_is_missing_whatever_its_registry_says() {
    let mut seen = met();
    seen.image.0 = "111122223333.dkr.ecr.us-east-1.amazonaws.com/teleport:17.0.2".to_owned();
    let (standing, told) = of(&seen, "image");
    assert_eq!(standing, Standing::Missing);
    assert!(told.contains("the failed region"), "{told}");
    seen.image.0 = seen.image.0.replace("us-east-1", "us-west-2");
    assert_eq!(of(&seen, "image").0, Standing::Met);
    seen.image.1 = Err(Failure::new(FailureKind::Forbidden, "it wants credentials"));
    assert_eq!(of(&seen, "image").0, Standing::Unseen);
    seen.image.1 = Err(Failure::new(FailureKind::NotFound, "no such tag"));
    assert_eq!(of(&seen, "image").0, Standing::Missing);
}

#[test]
fn pods_need_room_and_nodes_apart() {
    let mut seen = met();
    seen.wants.pods = [PodWants {
        count: 2,
        cpu: 1_500,
        memory: 1_024 * MI,
    }; 2];
    let (standing, told) = of(&seen, "node capacity");
    assert_eq!(standing, Standing::Missing, "{told}");
    assert!(
        told.contains("only 0 of 2 pods that request 1500m"),
        "{told}"
    );
    seen.controllers = Ok(vec![Controller {
        app: "karpenter".to_owned(),
        name: "kube-system/karpenter".to_owned(),
        available: 1,
    }]);
    assert_eq!(of(&seen, "node capacity").0, Standing::Unseen);
    let mut seen = met();
    seen.wants.apart = true;
    assert_eq!(of(&seen, "node capacity").0, Standing::Met);
    if let Ok(nodes) = &mut seen.nodes {
        nodes[0].usable = false;
    }
    let (standing, told) = of(&seen, "node capacity");
    assert_eq!(standing, Standing::Missing);
    assert!(told.contains("requireAntiAffinity"), "{told}");
}

#[test]
fn what_is_missing_and_what_could_not_be_seen_are_two_things() {
    let mut seen = met();
    let forbidden = || Failure::new(FailureKind::Forbidden, "get on secrets");
    seen.secrets = vec![
        ("license".to_owned(), "licence".to_owned(), Ok(false)),
        ("tls".to_owned(), "TLS Secret".to_owned(), Err(forbidden())),
    ];
    seen.wants.licence = Some("license".to_owned());
    seen.wants.tls = Some("tls".to_owned());
    assert_eq!(of(&seen, "licence").0, Standing::Missing);
    assert_eq!(of(&seen, "TLS Secret").0, Standing::Unclear);
    seen.keys = vec![
        ("k".to_owned(), Err(forbidden())),
        (
            "d".to_owned(),
            Ok(Key {
                arn: "arn:d".to_owned(),
                state: "PendingDeletion".to_owned(),
                multi_region: true,
            }),
        ),
    ];
    let items = seen.items("a", "b");
    let keys: Vec<Standing> = items
        .iter()
        .filter(|item| item.what == "KMS key")
        .map(|item| item.standing)
        .collect();
    assert_eq!(keys, [Standing::Unclear, Standing::Missing]);
    seen.wants.cert_manager = true;
    seen.groups = Some(Ok(vec!["apps".to_owned()]));
    assert_eq!(of(&seen, "cert-manager CRDs").0, Standing::Missing);
    assert_eq!(of(&seen, "cert-manager").0, Standing::Missing);
    seen.chart = Ok(("teleport-cluster".to_owned(), "16.0.0".to_owned()));
    let (standing, told) = of(&seen, "chart");
    assert_eq!(standing, Standing::Missing);
    assert!(told.contains("the plan pins 17.0.2"), "{told}");
}
