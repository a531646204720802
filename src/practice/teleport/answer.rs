//! What a proxy answers, from the world as it is when asked.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderMap, StatusCode, Uri, header},
    response::{IntoResponse as _, Response},
};
use serde_json::{Value, json};

use super::HostAuthority;
use crate::{
    incident::{Moment, Side},
    practice::world::{Fault, Shared, cluster::Running},
};

/// The proxies of one side.
#[derive(Clone)]
pub(super) struct Face {
    world: Shared,
    side: Side,
    /// Seeds of authorities that an Auth Service made because its table had none, by region and table.
    fresh: Arc<Mutex<HashMap<(String, String), String>>>,
}

impl Face {
    pub(super) fn new(world: Shared, side: Side) -> Self {
        Self {
            world,
            side,
            fresh: Arc::default(),
        }
    }

    /// Whether the load balancer has a target.
    pub(super) fn ready(&self) -> bool {
        self.running().is_some_and(|running| running.proxy_ready)
    }

    /// What is wrong with the proxies now.
    pub(super) fn fault(&self, now: Moment) -> Fault {
        self.world.lock().fault(self.side, "proxy", now)
    }

    fn running(&self) -> Option<Running> {
        self.world.lock().side(self.side).cluster.running()
    }

    /// The seed of the host authority: of the table that the values name, in the region that they name. A table without
    /// one, or none at all, makes Auth start with new authorities, as on an empty table.
    fn seed(&self, running: &Running) -> String {
        let stored = {
            let world = self.world.lock();
            [self.side, Side::Primary, Side::Recovery]
                .into_iter()
                .map(|side| world.side(side))
                .find(|region| region.name == running.region)
                .and_then(|region| {
                    region
                        .storage
                        .host_authority(&running.state_table, &running.cluster_name)
                })
        };
        stored.unwrap_or_else(|| {
            let mut fresh = self.fresh.lock().unwrap_or_else(PoisonError::into_inner);
            fresh
                .entry((running.region.clone(), running.state_table.clone()))
                .or_insert_with(|| format!("fresh {:032x}", fastrand::u128(..)))
                .clone()
        })
    }
}

/// Every endpoint that the probes ask.
pub(super) fn router(face: Face) -> Router {
    Router::new().fallback(answer).with_state(face)
}

async fn answer(State(face): State<Face>, request: Request) -> Response {
    let Some(running) = face.running().filter(|running| running.proxy_ready) else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    match face.fault(Moment::now()) {
        Fault::Unavailable => {
            return refused(
                StatusCode::SERVICE_UNAVAILABLE,
                "the proxy is shutting down",
            );
        }
        Fault::Forbidden => return refused(StatusCode::FORBIDDEN, "access denied"),
        _ => {}
    }
    if let Some(elsewhere) = launcher(request.headers(), request.uri(), &running) {
        return elsewhere;
    }
    let path = request.uri().path();
    match path.strip_prefix("/v1").unwrap_or(path) {
        "/webapi/ping" if running.auth_ready => {
            json_answer(&ping(&running, host(request.headers())))
        }
        "/webapi/find" => json_answer(&find(&running, host(request.headers()))),
        "/webapi/auth/export" if running.auth_ready => export(&face, &running, request.uri()),
        "/webapi/ping" | "/webapi/auth/export" => refused(
            StatusCode::GATEWAY_TIMEOUT,
            "failed to connect to any endpoints of type AuthService",
        ),
        "/" => redirect("/web"),
        _ => refused(StatusCode::NOT_FOUND, "path not found"),
    }
}

/// A proxy sends every Host that is not its own to the launcher of applications.
fn launcher(headers: &HeaderMap, uri: &Uri, running: &Running) -> Option<Response> {
    let name = without_port(host(headers));
    let own = name.eq_ignore_ascii_case(&running.cluster_name)
        || name == "localhost"
        || name.parse::<std::net::IpAddr>().is_ok();
    (!own).then(|| {
        let path = uri.path();
        redirect(&format!(
            "https://{}/web/launch/{name}{path}",
            running.cluster_name
        ))
    })
}

fn ping(running: &Running, host: &str) -> Value {
    let mut body = find(running, host);
    body["auth"] = json!({
        "type": "local", "second_factor": "on", "preferred_local_mfa": "webauthn", "allow_passwordless": true,
        "allow_headless": true, "local": {"name": ""}, "webauthn": {"rp_id": running.cluster_name},
        "private_key_policy": "none", "piv_slot": "", "device_trust": {}, "has_motd": false,
        "default_session_ttl": "12h0m0s",
    });
    body
}

fn find(running: &Running, host: &str) -> Value {
    let port = host.rsplit_once(':').map_or("443", |(_, port)| port);
    json!({
        "auth": {"private_key_policy": "", "device_trust": {}, "has_motd": false},
        "proxy": {
            "kube": {"enabled": true, "listen_addr": "0.0.0.0:3080"},
            "ssh": {
                "listen_addr": "0.0.0.0:3080", "tunnel_listen_addr": "0.0.0.0:3080",
                "web_listen_addr": "0.0.0.0:3080", "public_addr": format!("{}:{port}", running.cluster_name),
            },
            "db": {}, "tls_routing_enabled": true,
        },
        "server_version": running.version, "min_client_version": "16.0.0-aa",
        "cluster_name": running.cluster_name, "automatic_upgrades": false, "edition": "oss", "fips": false,
    })
}

fn export(face: &Face, running: &Running, uri: &Uri) -> Response {
    let kind = uri
        .query()
        .unwrap_or_default()
        .split('&')
        .find_map(|pair| pair.strip_prefix("type="));
    if !matches!(kind, Some("tls-host" | "tls")) {
        return refused(
            StatusCode::BAD_REQUEST,
            "this practice exports type=tls-host only",
        );
    }
    let authority = HostAuthority::new(&face.seed(running))
        .and_then(|authority| authority.pem(&running.cluster_name));
    match authority {
        Ok(pem) => pem.into_response(),
        Err(error) => refused(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
    }
}

fn json_answer(body: &Value) -> Response {
    (
        [(header::CONTENT_TYPE, "application/json")],
        body.to_string(),
    )
        .into_response()
}

fn refused(status: StatusCode, message: &str) -> Response {
    let body = json!({"error": {"message": message}}).to_string();
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}

fn redirect(to: &str) -> Response {
    (StatusCode::FOUND, [(header::LOCATION, to)]).into_response()
}

fn host(headers: &HeaderMap) -> &str {
    headers
        .get(header::HOST)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
}

fn without_port(host: &str) -> &str {
    match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    }
}
