//! The Kubernetes face: list, watch, get, create, patch, delete over plain HTTP/1.1, for the objects of
//! [`super::world::cluster`].

mod answer;
mod door;
mod request;
mod watch;

use std::{sync::MutexGuard, time::Duration};

use axum::{Router, body::Body, extract::Request, response::Response};
use serde_json::{Value, json};

use self::{
    answer::{Form, refuse},
    request::{Target, Verb},
};
use super::world::{
    Fault, Shared, World,
    cluster::{Refusal, Resource},
};
use crate::incident::{Moment, Side};

/// Between two ticks of the controllers.
const TICK: Duration = Duration::from_millis(100);
/// The largest body taken: no object of ours comes near.
const BODY: usize = 2 << 20;

/// Serves the Kubernetes API of a side until the listener fails, and moves its cluster on as time passes.
///
/// # Errors
/// If the listener fails.
pub async fn serve(
    world: Shared,
    side: Side,
    listener: tokio::net::TcpListener,
) -> std::io::Result<()> {
    let face = Face { world, side };
    let ticking = async {
        loop {
            face.world.lock().side_mut(side).cluster.tick(Moment::now());
            tokio::time::sleep(TICK).await;
        }
    };
    let of_requests = face.clone();
    let router: Router = Router::new().fallback(move |request: Request| {
        let face = of_requests.clone();
        async move { face.answer(request).await }
    });
    let listener = door::Door::new(listener, face.clone());
    tokio::select! {
        ended = axum::serve(listener, router) => ended,
        () = ticking => Ok(()),
    }
}

/// One side's API.
#[derive(Clone)]
struct Face {
    world: Shared,
    side: Side,
}

impl Face {
    fn fault(&self) -> Fault {
        self.world
            .lock()
            .fault(self.side, "kubernetes", Moment::now())
    }

    async fn answer(&self, request: Request) -> Response {
        match self.fault() {
            Fault::None => {}
            Fault::Hang => return std::future::pending().await,
            Fault::Reset => return answer::broken(),
            Fault::Unavailable => {
                return refuse(&Refusal {
                    code: 503,
                    reason: "ServiceUnavailable",
                    message: "the server is currently unable to handle the request".to_owned(),
                });
            }
            Fault::Forbidden => {
                return refuse(&Refusal {
                    code: 403,
                    reason: "Forbidden",
                    message: "User \"practice\" cannot do that in this region".to_owned(),
                });
            }
            Fault::Garbage => return Response::new(Body::from("\u{0}\u{1b}[2J{]garbage")),
        }
        let (head, body) = request.into_parts();
        let Ok(body) = axum::body::to_bytes(body, BODY).await else {
            return refuse(&Refusal::bad("the body is too large"));
        };
        match head.uri.path() {
            "/version" => {
                return answer::json_response(
                    &json!({"major": "1", "minor": "33", "gitVersion": "v1.33.0-relight"}),
                );
            }
            "/.well-known/openid-configuration" => {
                let issuer = self.world.lock().issuer(self.side);
                return answer::json_response(
                    &json!({"issuer": issuer, "jwks_uri": format!("{issuer}/keys"),
                    "response_types_supported": ["id_token"], "subject_types_supported": ["public"],
                    "id_token_signing_alg_values_supported": ["RS256"]}),
                );
            }
            "/apis" => return answer::json_response(&self.groups()),
            path if path.starts_with("/practice/") => {
                let place = path.split('/').nth(2).unwrap_or_default();
                let said = if path.ends_with("/forward") {
                    self.forward(place, &body, Moment::now())
                } else {
                    self.tctl(place, &body, Moment::now())
                };
                return match said {
                    Ok(said) => answer::json_response(&json!({"said": said})),
                    Err(refusal) => refuse(&refusal),
                };
            }
            "/readyz" | "/livez" | "/healthz" => return Response::new(Body::from("ok")),
            _ => {}
        }
        let target = match Target::read(&head) {
            Ok(target) => target,
            Err(refusal) => return refuse(&refusal),
        };
        if target.watch {
            return watch::start(self.clone(), target);
        }
        let body = match target.verb {
            Verb::Read | Verb::Delete if body.is_empty() => Ok(Value::Null),
            _ => serde_json::from_slice(&body)
                .map_err(|error| Refusal::bad(format!("the body is no JSON: {error}"))),
        };
        match body.and_then(|body| self.act(&target, body, Moment::now())) {
            Ok(response) => {
                self.note(&target);
                response
            }
            Err(refusal) => refuse(&refusal),
        }
    }

    /// Writes down what was changed. Tokens and reviews of rights are asked for, and change nothing.
    fn note(&self, target: &Target) {
        let asked = matches!(target.sub.as_deref(), Some("token" | "log"));
        if target.verb == Verb::Read || asked {
            return;
        }
        let mut world = self.world.lock();
        let change = format!(
            "{} kubernetes:{:?} {:?} {}/{}",
            world.side(self.side).name,
            target.verb,
            target.resource,
            target.namespace.as_deref().unwrap_or_default(),
            target.name.as_deref().unwrap_or_default(),
        );
        world.changes.push(change);
    }

    /// The call of a stand-in, held against the Deployment that it names; the region's world, brought up to now.
    fn called(
        &self,
        place: &str,
        call: &[u8],
        now: Moment,
    ) -> Result<(Value, MutexGuard<'_, World>), Refusal> {
        let call: Value =
            serde_json::from_slice(call).map_err(|error| Refusal::bad(error.to_string()))?;
        let mut world = self.world.lock();
        let cluster = &mut world.side_mut(self.side).cluster;
        cluster.tick(now);
        let name = call["deployment"].as_str().unwrap_or_default();
        cluster
            .store
            .get(Resource::Deployments, place, name)
            .ok_or_else(|| Refusal::missing(Resource::Deployments, name))?;
        Ok((call, world))
    }

    /// `tctl` in an Auth pod: what the stand-in for kubectl asks instead of an exec.
    fn tctl(&self, place: &str, call: &[u8], now: Moment) -> Result<String, Refusal> {
        let (call, mut world) = self.called(place, call, now)?;
        let cluster = &world.side(self.side).cluster;
        if !cluster.running().is_some_and(|running| running.auth_ready) {
            return Err(Refusal::bad(
                "ERROR: the Auth Service refused the connection",
            ));
        }
        let words = call["args"].as_array().into_iter().flatten();
        let args: Vec<String> = words.filter_map(Value::as_str).map(str::to_owned).collect();
        world
            .locks
            .tctl(self.side, &args, now)
            .map_err(Refusal::bad)
    }

    /// Where a ready pod of a Deployment listens: what the stand-in for kubectl asks instead of a port-forward.
    fn forward(&self, place: &str, call: &[u8], now: Moment) -> Result<String, Refusal> {
        let (_, world) = self.called(place, call, now)?;
        let cluster = &world.side(self.side).cluster;
        if !cluster.running().is_some_and(|running| running.proxy_ready) {
            return Err(Refusal::bad(
                "unable to forward port because pod is not running. Current status=Pending",
            ));
        }
        Ok(world.addresses.load_balancer(self.side).to_string())
    }

    /// What API discovery says: the groups, those of custom resources only where there are such.
    fn groups(&self) -> Value {
        let world = self.world.lock();
        let store = &world.side(self.side).cluster.store;
        let there = Resource::ALL
            .iter()
            .filter(|one| !one.custom() || store.list(**one, None).next().is_some());
        let mut groups: Vec<Value> = there
            .filter_map(|one| one.version().split_once('/'))
            .map(|(group, version)| {
                let version =
                    json!({"groupVersion": format!("{group}/{version}"), "version": version});
                json!({"name": group, "versions": [version], "preferredVersion": version})
            })
            .collect();
        groups.dedup();
        json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups})
    }

    fn act(&self, target: &Target, body: Value, now: Moment) -> Result<Response, Refusal> {
        let mut world = self.world.lock();
        if target.sub.as_deref() == Some("log") {
            world.tick(now);
        }
        let start = world.auth_start(self.side);
        let cluster = &mut world.side_mut(self.side).cluster;
        cluster.tick(now);
        let resource = target.resource;
        let place = target.namespace.as_deref().unwrap_or_default();
        let Some(name) = target.name.as_deref() else {
            return match target.verb {
                Verb::Read => {
                    let matching = cluster
                        .store
                        .list(resource, target.namespace.as_deref())
                        .filter(|object| target.matches(object));
                    answer::list(target, matching, cluster.store.version())
                }
                Verb::Create => {
                    let made = cluster.create(resource, place, body, now)?;
                    Ok(answer::with_code(201, &made))
                }
                _ => Err(Refusal::bad("name is missing in the path")),
            };
        };
        match target.verb {
            Verb::Create
                if resource == Resource::ServiceAccounts
                    && target.sub.as_deref() == Some("token") =>
            {
                cluster
                    .store
                    .get(resource, place, name)
                    .ok_or_else(|| Refusal::missing(resource, name))?;
                let seconds = body["spec"]["expirationSeconds"].as_u64().unwrap_or(3600);
                let until = now.plus(Duration::from_secs(seconds));
                let status = json!({"token": World::token(self.side, place, name), "expirationTimestamp": until.to_string()});
                Ok(answer::with_code(
                    201,
                    &json!({"kind": "TokenRequest", "apiVersion": "authentication.k8s.io/v1",
                    "metadata": {"name": name, "namespace": place}, "spec": body["spec"], "status": status}),
                ))
            }
            Verb::Read if target.sub.as_deref() == Some("log") => {
                let pod = cluster
                    .store
                    .get(resource, place, name)
                    .ok_or_else(|| Refusal::missing(resource, name))?;
                Ok(Response::new(Body::from(answer::log(
                    pod,
                    start.as_deref(),
                ))))
            }
            Verb::Read => {
                let object = cluster
                    .store
                    .get(resource, place, name)
                    .ok_or_else(|| Refusal::missing(resource, name))?;
                Ok(answer::json_response(&target.form.of(object)))
            }
            Verb::Patch | Verb::Replace => {
                let changed =
                    cluster
                        .store
                        .change(resource, place, name, |object| match target.verb {
                            Verb::Patch => answer::merge(object, body),
                            _ => answer::replace(object, body),
                        });
                let changed = changed.ok_or_else(|| Refusal::missing(resource, name))?;
                Ok(answer::json_response(&Form::Whole.of(&changed)))
            }
            Verb::Delete => {
                let at_once = target.grace == Some(0) || body["gracePeriodSeconds"] == 0;
                let gone = cluster.delete(resource, place, name, at_once, now)?;
                Ok(answer::json_response(&gone))
            }
            Verb::Create => Err(Refusal::bad("create has no name in the path")),
        }
    }
}
