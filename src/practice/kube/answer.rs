//! Bodies: lists in pages, Status objects, metadata alone, merges, logs.

use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header::CONTENT_TYPE},
    response::Response,
};
use serde_json::{Value, json};

use super::request::Target;
use crate::practice::world::cluster::Refusal;

/// How objects are given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// As they are.
    Whole,
    /// `PartialObjectMetadata`
    Metadata,
}

impl Form {
    pub(super) fn of(self, object: &Value) -> Value {
        match self {
            Self::Whole => object.clone(),
            Self::Metadata => {
                json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": object["metadata"]})
            }
        }
    }
}

pub(super) fn json_response(body: &Value) -> Response {
    with_code(200, body)
}

pub(super) fn with_code(code: u16, body: &Value) -> Response {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() =
        StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

pub(super) fn status(refusal: &Refusal) -> Value {
    json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": refusal.message, "reason": refusal.reason, "code": refusal.code})
}

pub(super) fn refuse(refusal: &Refusal) -> Response {
    with_code(refusal.code, &status(refusal))
}

/// A response that breaks off: for a connection that was there before the fault.
pub(super) fn broken() -> Response {
    let cut = futures::stream::once(async {
        Err::<&'static str, _>(std::io::Error::from(std::io::ErrorKind::ConnectionReset))
    });
    Response::new(Body::from_stream(cut))
}

/// A page of a list. The continue token names the last object given; the order is that of the store.
pub(super) fn list<'a>(
    target: &Target,
    objects: impl Iterator<Item = &'a Value>,
    version: u64,
) -> Result<Response, Refusal> {
    let skip = match &target.rest {
        Some(rest) => rest.parse::<usize>().map_err(|_| Refusal {
            code: 410,
            reason: "Expired",
            message: "The provided continue parameter is too old".to_owned(),
        })?,
        None => 0,
    };
    let mut rest = objects.skip(skip);
    let limit = if target.limit == 0 {
        usize::MAX
    } else {
        target.limit
    };
    let items: Vec<Value> = rest
        .by_ref()
        .take(limit)
        .map(|object| target.form.of(object))
        .collect();
    let left = rest.count();
    let mut metadata = json!({"resourceVersion": version.to_string()});
    if left > 0 {
        metadata["continue"] = json!((skip + items.len()).to_string());
        metadata["remainingItemCount"] = json!(left);
    }
    let (kind, api) = match target.form {
        Form::Whole => (
            format!("{}List", target.resource.kind()),
            target.resource.version(),
        ),
        Form::Metadata => ("PartialObjectMetadataList".to_owned(), "meta.k8s.io/v1"),
    };
    Ok(json_response(
        &json!({"kind": kind, "apiVersion": api, "metadata": metadata, "items": items}),
    ))
}

/// RFC 7396.
pub(super) fn merge(object: &mut Value, patch: Value) {
    match patch {
        Value::Object(fields) => {
            if !object.is_object() {
                *object = json!({});
            }
            for (key, value) in fields {
                if value.is_null() {
                    if let Some(map) = object.as_object_mut() {
                        map.remove(&key);
                    }
                } else {
                    merge(&mut object[key], value);
                }
            }
        }
        other => *object = other,
    }
}

/// A new form under the old identity.
pub(super) fn replace(object: &mut Value, mut new: Value) {
    for field in [
        "uid",
        "name",
        "namespace",
        "creationTimestamp",
        "resourceVersion",
        "generation",
    ] {
        if !object["metadata"][field].is_null() {
            new["metadata"][field] = object["metadata"][field].clone();
        }
    }
    *object = new;
}

/// The log of a pod as far as it has come, with the markers of facts/teleport.md, 1.6. `start` is what Auth says of its
/// backend once it has reached it.
pub(super) fn log(pod: &Value, start: Option<&[String]>) -> String {
    let running = pod["status"]["phase"] == "Running";
    let ready = pod["status"]["containerStatuses"][0]["ready"] == true;
    let component = pod["metadata"]["labels"]["app.kubernetes.io/component"].as_str();
    let mut lines: Vec<&str> = Vec::new();
    match (component, running) {
        (_, false) => {}
        (Some("auth"), true) => {
            lines.push("INFO Initializing backend");
            if let (true, Some(start)) = (ready, start) {
                lines.extend(start.iter().map(String::as_str));
                lines.push("INFO Connection established to DynamoDB events database");
                lines.push("INFO Auth service is starting.");
            }
        }
        (_, true) => {
            lines.push("INFO Joining the cluster with a secure token.");
            if ready {
                lines.push("INFO Successfully obtained credentials to connect to the cluster. identity:Proxy");
                lines.push("INFO Starting web proxy service.");
            }
        }
    }
    lines.into_iter().flat_map(|line| [line, "\n"]).collect()
}
