//! Both AWS faces of a practice behind real sockets, and a plan that leads there.

use std::{fmt::Write as _, net::Ipv4Addr};

use relight::{
    clients::aws::{
        Reach,
        tables::{Asked, Measured, fetch},
    },
    incident::{Failure, Moment, Side, Table, TableRole},
    plan::Plan,
    practice::{
        aws::{access_key, serve},
        world::{Addresses, Scenario, Shared, World},
    },
};
use tokio::net::TcpListener;

/// A region of a side behind a real socket, and a plan that leads there.
pub struct Rig {
    pub world: Shared,
    pub plan: Plan,
    _dir: tempfile::TempDir,
}

pub async fn rig(scenario: &str, key: &str, token: &str) -> Rig {
    let scenario = Scenario::parse("test", scenario).expect("a scenario");
    let addresses = Addresses::within(Ipv4Addr::new(127, 0, 0, 0), &scenario);
    let world = Shared::new(World::new(scenario, addresses, Moment::now()));
    let dir = tempfile::tempdir().expect("a folder");
    let credentials = format!(
        "[default]\naws_access_key_id = {key}\naws_secret_access_key = practice\n{token}\n"
    );
    std::fs::write(dir.path().join("credentials"), credentials).expect("written");
    let mut regions = String::new();
    for side in Side::BOTH {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("bound"));
        tokio::spawn(serve(world.clone(), side, listener));
        let names = world.lock().side(side).storage.names.clone();
        let _ = write!(
            regions,
            "[{side}]\nregion = \"{}\"\naccount = \"{}\"\ncredentials_file = \"credentials\"\nstate_table = \"{}\"\naudit_table = \"{}\"\nrecordings_bucket = \"{}\"\nbackup_vault = \"{}\"\n[{side}.endpoints]\n",
            names.region,
            names.account,
            names.state_table,
            names.audit_table,
            names.bucket,
            names.vault
        );
        for service in relight::plan::Service::ALL {
            let _ = writeln!(regions, "{} = \"{url}\"", service.key());
        }
    }
    let (cluster, id, name) = {
        let world = world.lock();
        let release = &world.scenario.release;
        (
            release.cluster.clone(),
            world.zone.id.clone(),
            world.zone.name.clone(),
        )
    };
    let text = format!(
        "[cluster]\nname = \"{cluster}\"\n{regions}[dns]\nzone_id = \"{id}\"\nzone = \"{name}\"\npublic_resolvers = []\n"
    );
    let plan = Plan::parse(&dir.path().join("relight.toml"), &text).expect("a valid plan");
    Rig {
        world,
        plan,
        _dir: dir,
    }
}

pub const CALM: &str = "about = \"calm\"\n";

pub async fn calm() -> Rig {
    let account = Scenario::parse("test", CALM)
        .expect("calm")
        .recovery
        .account;
    rig(CALM, &access_key(&account), "").await
}

/// Looks at a table once, with nothing kept from before.
pub async fn look(reach: &Reach, name: &str, role: TableRole) -> Result<Table, Failure> {
    let asked = Asked {
        name,
        role,
        cluster: "teleport.example.com",
    };
    Box::pin(fetch(
        reach,
        &asked,
        &mut Measured::default(),
        Moment::now(),
    ))
    .await
}
