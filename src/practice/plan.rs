//! What a practice leaves for its clients: the plan, a kubeconfig, credentials, the operator's values file.

use std::{fmt::Write as _, net::SocketAddr};

use serde_json::json;
use toml::{Table, Value};

use super::{
    aws::{access_key, kms_key},
    world::{
        World,
        agents::COUNT,
        controls::{Controls, REGIONS},
    },
};
use crate::incident::Side;

/// The plan, with `@key@` where the world fills something in.
const PLAN: &str = include_str!("../../assets/practice/relight.toml");
/// The operator's values, the same way.
const VALUES: &str = include_str!("../../assets/practice/values.yaml");

/// Where the plan has the recovery values written.
pub const RECOVERY_VALUES: &str = "recovery-values.yaml";

/// `relight.toml`: the plan of this practice. Its paths are relative to its folder. `pins` are those of the cluster's
/// host authority.
#[must_use]
pub fn plan(world: &World, pins: &[String]) -> String {
    let (scenario, addresses) = (&world.scenario, &world.addresses);
    let release = &scenario.release;
    let mut filled = vec![
        ("cluster".to_owned(), text(&release.cluster)),
        ("release".to_owned(), text(&release.name)),
        ("namespace".to_owned(), text(&release.namespace)),
        ("version".to_owned(), text(&release.version)),
        (
            "port".to_owned(),
            Value::Integer(addresses.proxy_port.into()),
        ),
        ("pins".to_owned(), list(pins)),
        (
            "agents".to_owned(),
            Value::Integer(i64::try_from(COUNT).unwrap_or_default()),
        ),
        (
            "black_box".to_owned(),
            text(&format!("s3://{}/black-box", scenario.recovery.bucket)),
        ),
        (
            "kms_key".to_owned(),
            text(&kms_key(
                &scenario.recovery.region,
                &scenario.recovery.account,
            )),
        ),
        ("recovery_values".to_owned(), text(RECOVERY_VALUES)),
        (
            "backup_role".to_owned(),
            text(&format!(
                "arn:aws:iam::{}:role/backup",
                scenario.recovery.account
            )),
        ),
        ("zone_id".to_owned(), text(&release.zone_id)),
        ("zone".to_owned(), text(&release.zone)),
        (
            "names".to_owned(),
            list(&[release.cluster.clone(), format!("*.{}", release.cluster)]),
        ),
        (
            "hot_names".to_owned(),
            list(std::slice::from_ref(&release.hot_name)),
        ),
        (
            "record_ttl".to_owned(),
            Value::Integer(scenario.dns.record_ttl.into()),
        ),
        ("lookup".to_owned(), list(&[addresses.lookup.to_string()])),
        ("nameservers".to_owned(), servers(&addresses.authorities)),
        ("resolvers".to_owned(), servers(&addresses.resolvers)),
    ];
    for side in Side::BOTH {
        let site = scenario.site(side);
        let endpoint = format!("http://{}", addresses.aws(side));
        let of_side = [
            ("region", &site.region),
            ("account", &site.account),
            ("profile", &site.profile),
            ("state_table", &site.state_table),
            ("audit_table", &site.audit_table),
            ("bucket", &site.bucket),
            ("vault", &site.vault),
            ("load_balancer", &site.load_balancer),
            ("context", &site.context),
            ("uid", &site.uid),
            ("endpoint", &endpoint),
        ];
        filled.extend(
            of_side
                .into_iter()
                .map(|(key, value)| (format!("{side}.{key}"), text(value))),
        );
    }
    fill(PLAN, &filled) + &arc(world)
}

/// `[dns.arc]`, where the scenario has routing controls: each endpoint is the recovery region's face, by another region.
fn arc(world: &World) -> String {
    if world.scenario.arc.is_none() {
        return String::new();
    }
    let account = &world.scenario.recovery.account;
    let control = |side| list(&[Controls::arn(account, side)]);
    let url = text(&format!("http://{}", world.addresses.aws(Side::Recovery)));
    let endpoints = REGIONS.map(|region| format!("{region} = {url}\n"));
    format!(
        "\n[dns.arc]\non = {}\noff = {}\n\n[dns.arc.endpoints]\n{}",
        control(Side::Recovery),
        control(Side::Primary),
        endpoints.concat()
    )
}

/// `values.yaml`: the values of the running release, as the operator keeps them.
#[must_use]
pub fn values(world: &World) -> String {
    let (release, site) = (&world.scenario.release, &world.scenario.primary);
    let replicas = release.replicas.to_string();
    let role = world.role_arn();
    let filled = [
        ("cluster", &release.cluster),
        ("role", &role),
        ("replicas", &replicas),
        ("primary.region", &site.region),
        ("primary.state_table", &site.state_table),
        ("primary.audit_table", &site.audit_table),
        ("primary.bucket", &site.bucket),
    ]
    .map(|(key, value)| (key.to_owned(), value));
    let mut values = fill(VALUES, &filled);
    if let Some(image) = &release.image {
        let _ = writeln!(values, "\nimage: {image}");
    }
    values
}

/// `kubeconfig`: a context for each side, and no current one: two clusters are in play. JSON is YAML.
#[must_use]
pub fn kubeconfig(world: &World) -> String {
    let entries =
        |entry: fn(&World, Side) -> serde_json::Value| Side::BOTH.map(|s| entry(world, s));
    let config = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": entries(|world, side| json!({
            "name": world.scenario.site(side).context,
            "cluster": { "server": format!("http://{}", world.addresses.kube(side)) },
        })),
        "users": entries(|world, side| json!({ "name": world.scenario.site(side).context, "user": {} })),
        "contexts": entries(|world, side| {
            let name = &world.scenario.site(side).context;
            let namespace = &world.scenario.release.namespace;
            json!({ "name": name, "context": { "cluster": name, "user": name, "namespace": namespace } })
        }),
    });
    format!("{config:#}\n")
}

/// `credentials`: an AWS shared credentials file with a profile for each side. The keys open nothing.
#[must_use]
pub fn credentials(world: &World) -> String {
    let profile = |side| {
        let site = world.scenario.site(side);
        format!(
            "[{}]\naws_access_key_id = {}\naws_secret_access_key = practice/opens/nothing\n\n",
            site.profile,
            access_key(&site.account)
        )
    };
    let profiles: String = Side::BOTH.map(profile).concat();
    format!("# Written by `relight practice`; these keys open nothing.\n{profiles}")
}

fn text(value: &str) -> Value {
    Value::String(value.to_owned())
}

fn list(values: &[String]) -> Value {
    Value::Array(values.iter().map(|value| text(value)).collect())
}

fn servers(servers: &[(String, SocketAddr)]) -> Value {
    let server = |(label, address): &(String, SocketAddr)| {
        let mut table = Table::new();
        table.insert("label".to_owned(), text(label));
        table.insert("address".to_owned(), text(&address.to_string()));
        Value::Table(table)
    };
    Value::Array(servers.iter().map(server).collect())
}

fn fill(template: &str, filled: &[(String, impl ToString)]) -> String {
    filled
        .iter()
        .fold(template.to_owned(), |text, (key, value)| {
            text.replace(&format!("@{key}@"), &value.to_string())
        })
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;
    use crate::{
        incident::Moment,
        practice::world::{Addresses, Scenario},
    };

    fn world() -> World {
        let scenario = Scenario::default();
        let addresses = Addresses::within(Ipv4Addr::new(127, 7, 9, 0), &scenario);
        World::new(scenario, addresses, Moment::from_secs(1_795_000_000))
    }

    #[test]
    fn nothing_is_left_to_fill_in() {
        let world = world();
        let plan = plan(&world, &["sha256:00".to_owned()]);
        for text in [&plan, &values(&world)] {
            assert!(!text.contains('@'), "{text}");
        }
        let plan: Table = plan.parse().expect("TOML");
        assert_eq!(plan["primary"]["account"].as_str(), Some("111122223333"));
        assert_eq!(
            plan["dns"]["resolvers"].as_array().map(Vec::len),
            Some(world.addresses.resolvers.len())
        );
    }

    #[test]
    fn everything_that_is_dialled_is_on_loopback() {
        let world = world();
        let text = plan(&world, &[]) + &kubeconfig(&world);
        let dialled = text.split("http://").skip(1).map(|rest| &rest[..8]);
        assert_eq!(
            dialled
                .filter(|address| !address.starts_with("127.7.9."))
                .count(),
            0
        );
        assert!(text.contains("public_resolvers = []"));
    }

    #[test]
    fn the_values_name_the_primary_and_keep_their_comments() {
        let values = values(&world());
        for line in [
            "clusterName: teleport.example.com\n",
            "  region: us-east-1\n",
            "  backendTable: teleport-state\n",
            "  backups: true # point-in-time recovery, in both regions\n",
            "-enabled: \"true\"\n",
        ] {
            assert!(values.contains(line), "{line} is not in\n{values}");
        }
    }

    #[test]
    fn a_profile_for_each_side() {
        let credentials = credentials(&world());
        assert!(credentials.contains("[practice-primary]\naws_access_key_id = "));
        assert!(credentials.contains("[practice-recovery]\n"));
    }
}
