//! A watch: what has happened since a version, line by line, with bookmarks; 410 for a version that is forgotten.

use std::time::{Duration, Instant};

use axum::{body::Body, response::Response};
use serde_json::{Value, json};

use super::{Face, Fault, answer::status, request::Target};
use crate::practice::world::cluster::{Change, Refusal};

/// Between two looks at the store.
const LOOK: Duration = Duration::from_millis(40);
/// Between two bookmarks. A real API server sends one about every minute.
const BOOKMARK: Duration = Duration::from_secs(5);

struct State {
    face: Face,
    target: Target,
    version: u64,
    ends: Instant,
    bookmark: Instant,
    over: bool,
}

/// Starts a watch. Without a version it begins with what there is.
pub(super) fn start(face: Face, target: Target) -> Response {
    let mut first = String::new();
    let version = {
        let world = face.world.lock();
        let store = &world.side(face.side).cluster.store;
        if target.from_version.is_none() {
            for object in store
                .list(target.resource, target.namespace.as_deref())
                .filter(|object| target.matches(object))
            {
                first.push_str(&line("ADDED", &target.form.of(object)));
            }
        }
        target.from_version.unwrap_or_else(|| store.version())
    };
    let now = Instant::now();
    let state = State {
        version,
        ends: now + Duration::from_secs(target.seconds),
        bookmark: now + BOOKMARK,
        over: false,
        face,
        target,
    };
    let head = futures::stream::once(async move { Ok(first) });
    let rest = futures::stream::unfold(state, next);
    let mut response = Response::new(Body::from_stream(futures::StreamExt::chain(head, rest)));
    response.headers_mut().insert(
        axum::http::header::CONTENT_TYPE,
        axum::http::HeaderValue::from_static("application/json"),
    );
    response
}

async fn next(mut state: State) -> Option<(Result<String, std::io::Error>, State)> {
    loop {
        if state.over || Instant::now() >= state.ends {
            return None;
        }
        match state.face.fault() {
            Fault::None => {}
            Fault::Hang => std::future::pending().await,
            Fault::Garbage => {
                state.over = true;
                return Some((Ok("{\"type\": garbage\n".to_owned()), state));
            }
            _ => {
                state.over = true;
                return Some((Err(std::io::ErrorKind::ConnectionReset.into()), state));
            }
        }
        let mut lines = state.news();
        if lines.is_empty() && state.target.bookmarks && Instant::now() >= state.bookmark {
            let version = state.version.to_string();
            let kind = state.target.resource;
            lines = line(
                "BOOKMARK",
                &json!({"kind": kind.kind(), "apiVersion": kind.version(), "metadata": {"resourceVersion": version}}),
            );
            state.bookmark = Instant::now() + BOOKMARK;
        }
        if !lines.is_empty() {
            return Some((Ok(lines), state));
        }
        tokio::time::sleep(LOOK).await;
    }
}

impl State {
    fn news(&mut self) -> String {
        let world = self.face.world.lock();
        let store = &world.side(self.face.side).cluster.store;
        let Some(changes) = store.changes(self.version) else {
            self.over = true;
            let gone = Refusal {
                code: 410,
                reason: "Expired",
                message: format!("too old resource version: {}", self.version),
            };
            return line("ERROR", &status(&gone));
        };
        let mut lines = String::new();
        for Change {
            version,
            what,
            resource,
            object,
        } in changes
        {
            self.version = *version;
            let here = self
                .target
                .namespace
                .as_deref()
                .is_none_or(|wanted| object["metadata"]["namespace"] == wanted);
            if *resource == self.target.resource && here && self.target.matches(object) {
                lines.push_str(&line(what, &self.target.form.of(object)));
            }
        }
        lines
    }
}

fn line(what: &str, object: &Value) -> String {
    format!("{}\n", json!({"type": what, "object": object}))
}
