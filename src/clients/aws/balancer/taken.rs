//! What `fence-old-cluster` wrote down in the incident's folder, and how a listener is made again by it.

use std::{fs, io, path::Path};

use aws_sdk_elasticloadbalancingv2::types::{
    Action, ActionTypeEnum, Certificate, ForwardActionConfig, ProtocolEnum,
    TargetGroupStickinessConfig, TargetGroupTuple,
};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Reach, explain};
use crate::{
    clients::kube::text::clean,
    incident::{
        Failure, FailureKind,
        barrier::{Taken, TakenListener},
    },
};

/// The file, in the incident's folder, with a mode of 0600.
pub const NAME: &str = "listeners.json";

/// The file as it was written.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct Written {
    /// In the words of `CreateListener`, by ARN.
    #[serde(default)]
    listeners: Map<String, Value>,
    /// By the ARN of the load balancer.
    #[serde(default)]
    security_groups: std::collections::BTreeMap<String, Vec<String>>,
}

impl Written {
    /// Reads it; nothing if the fence of this incident never acted.
    ///
    /// # Errors
    /// If it is there and cannot be read.
    pub fn read(folder: &Path) -> Result<Option<Self>, Failure> {
        let path = folder.join(NAME);
        let told = |why: &dyn std::fmt::Display| {
            Failure::new(
                FailureKind::Other,
                format!(
                    "{}, by which what was shut at AWS is opened again, cannot be read: {why}",
                    path.display()
                ),
            )
        };
        match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .map(Some)
                .map_err(|why| told(&why)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(told(&error)),
        }
    }

    /// As it is shown and compared.
    #[must_use]
    pub fn taken(&self) -> Taken {
        let text = |value: &Value, most: usize| clean(value.as_str().unwrap_or_default(), most);
        let listeners = self.listeners.iter().map(|(arn, one)| TakenListener {
            arn: clean(arn, 300),
            balancer: text(&one["LoadBalancerArn"], 300),
            port: port(one).unwrap_or_default(),
            protocol: text(&one["Protocol"], 20),
        });
        Taken {
            listeners: listeners.collect(),
            groups: self.security_groups.clone(),
        }
    }

    /// A listener in the words of `CreateListener`.
    #[must_use]
    pub fn listener(&self, arn: &str) -> Option<&Value> {
        self.listeners.get(arn)
    }
}

fn port(one: &Value) -> Option<u16> {
    one["Port"].as_u64().and_then(|port| port.try_into().ok())
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// Makes a listener again. AWS takes the same one twice without making two.
///
/// # Errors
/// If AWS does not answer or refuses.
pub async fn create_listener(reach: &Reach, kept: &Value) -> Result<(), Failure> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let place = format!(
        "{} in {}",
        kept["LoadBalancerArn"].as_str().unwrap_or_default(),
        reach.region()
    );
    let some = |all: Vec<String>| (!all.is_empty()).then_some(all);
    let certificates: Vec<Certificate> = list(&kept["Certificates"])
        .map(|one| {
            Certificate::builder()
                .set_certificate_arn(text(&one["CertificateArn"]))
                .build()
        })
        .collect();
    let client = reach.load_balancing().await;
    client
        .create_listener()
        .set_load_balancer_arn(text(&kept["LoadBalancerArn"]))
        .set_port(port(kept).map(i32::from))
        .set_protocol(kept["Protocol"].as_str().map(ProtocolEnum::from))
        .set_ssl_policy(text(&kept["SslPolicy"]))
        .set_alpn_policy(some(list(&kept["AlpnPolicy"]).filter_map(text).collect()))
        .set_certificates((!certificates.is_empty()).then_some(certificates))
        .set_default_actions(Some(list(&kept["DefaultActions"]).map(action).collect()))
        .send()
        .await
        .map(drop)
        .map_err(|error| explain("ELB CreateListener", &place, &error))
}

/// A default action. AWS tells one target group twice, in both fields, and takes it in one.
fn action(kept: &Value) -> Action {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let number = |value: &Value| value.as_i64().and_then(|number| i32::try_from(number).ok());
    let forward = &kept["ForwardConfig"];
    let sticky = &forward["TargetGroupStickinessConfig"];
    let one = list(&forward["TargetGroups"]).count() <= 1 && sticky["Enabled"] != true;
    let built = Action::builder()
        .r#type(ActionTypeEnum::from(
            kept["Type"].as_str().unwrap_or_default(),
        ))
        .set_order(number(&kept["Order"]));
    let target = text(&kept["TargetGroupArn"]);
    if target.is_some() && one {
        return built.set_target_group_arn(target).build();
    }
    let groups = list(&forward["TargetGroups"]).map(|group| {
        TargetGroupTuple::builder()
            .set_target_group_arn(text(&group["TargetGroupArn"]))
            .set_weight(number(&group["Weight"]))
            .build()
    });
    let sticky = sticky.is_object().then(|| {
        TargetGroupStickinessConfig::builder()
            .set_enabled(sticky["Enabled"].as_bool())
            .set_duration_seconds(number(&sticky["DurationSeconds"]))
            .build()
    });
    built
        .forward_config(
            ForwardActionConfig::builder()
                .set_target_groups(Some(groups.collect()))
                .set_target_group_stickiness_config(sticky)
                .build(),
        )
        .build()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_was_written_is_read_and_a_torn_file_is_no_empty_one() {
        let folder = tempfile::tempdir().expect("a folder");
        assert_eq!(Written::read(folder.path()), Ok(None));
        let path = folder.path().join(NAME);
        let text = r#"{"at": "x", "listeners": {"arn:l": {"LoadBalancerArn": "arn:lb", "Port": 443, "Protocol": "TLS"}},
            "security_groups": {"arn:lb": ["sg-1"]}}"#;
        fs::write(&path, text).expect("written");
        let found = Written::read(folder.path()).expect("read").expect("there");
        let taken = found.taken();
        assert_eq!(
            taken.listeners,
            [TakenListener {
                arn: "arn:l".to_owned(),
                balancer: "arn:lb".to_owned(),
                port: 443,
                protocol: "TLS".to_owned(),
            }]
        );
        assert_eq!(taken.groups["arn:lb"], ["sg-1"]);
        assert!(found.listener("arn:l").is_some() && found.listener("arn:m").is_none());
        fs::write(&path, "{").expect("torn");
        let why = Written::read(folder.path()).expect_err("torn");
        assert!(why.to_string().contains(NAME), "{why}");
    }

    #[test]
    fn one_target_group_is_told_once_and_several_with_their_weights() {
        let twice = action(
            &json!({"Type": "forward", "TargetGroupArn": "arn:tg", "Order": null,
            "ForwardConfig": {"TargetGroups": [{"TargetGroupArn": "arn:tg", "Weight": 1}],
                "TargetGroupStickinessConfig": {"Enabled": false}}}),
        );
        assert_eq!(twice.target_group_arn(), Some("arn:tg"));
        assert_eq!(twice.forward_config(), None);
        let several = action(
            &json!({"Type": "forward", "ForwardConfig": {"TargetGroups": [
            {"TargetGroupArn": "a", "Weight": 3}, {"TargetGroupArn": "b", "Weight": 1}]}}),
        );
        let forward = several.forward_config().expect("several");
        let weights: Vec<_> = forward
            .target_groups()
            .iter()
            .map(TargetGroupTuple::weight)
            .collect();
        assert_eq!(weights, [Some(3), Some(1)]);
        assert_eq!(several.target_group_arn(), None);
    }
}
