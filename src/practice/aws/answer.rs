//! An answer in one of the wire formats, and each service's form of an error.

use axum::{
    body::Body,
    http::{Method, Response},
};
use serde_json::{Value, json};

use super::{ask::Ask, xml};

/// An answer.
#[derive(Debug)]
pub(super) struct Answer {
    status: u16,
    content: Option<&'static str>,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

impl Answer {
    pub fn empty(status: u16) -> Self {
        Self {
            status,
            content: None,
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    /// `DynamoDB`'s JSON and Backup's.
    pub fn json(value: &Value) -> Self {
        Self {
            status: 200,
            content: Some("application/x-amz-json-1.0"),
            headers: Vec::new(),
            body: value.to_string().into_bytes(),
        }
    }

    /// An XML document; the declaration is put before it.
    pub fn xml(document: &str) -> Self {
        Self {
            status: 200,
            content: Some("text/xml"),
            headers: Vec::new(),
            body: format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{document}").into_bytes(),
        }
    }

    /// As a service labels it: REST-JSON and S3 differ from the others.
    pub fn labelled(mut self, service: &str) -> Self {
        self.content = match (self.content, service) {
            (Some(_), "backup" | "eks") => Some("application/json"),
            (Some(_), "acm" | "kms") => Some("application/x-amz-json-1.1"),
            (Some(_), "s3") => Some("application/xml"),
            (content, _) => content,
        };
        self
    }

    pub fn with(mut self, header: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((header, value.into()));
        self
    }

    /// Whether what was asked for was done.
    pub const fn is_good(&self) -> bool {
        self.status < 300
    }

    /// The same under another status.
    pub const fn under(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// With an object's bytes.
    pub fn holding(mut self, bytes: &[u8]) -> Self {
        self.body = bytes.to_vec();
        self
    }

    /// Bytes that are neither JSON nor XML, under a good status.
    pub fn garbage() -> Self {
        let mut answer = Self::empty(200);
        answer.body = b"\x00\xff{<garbage".to_vec();
        answer
    }

    /// An error as the service in question words it.
    pub fn error(ask: &Ask, status: u16, code: &str, message: &str) -> Self {
        let mut answer = match ask.service.as_str() {
            "dynamodb" => {
                // DynamoDB's own errors and those of the layer before it have different prefixes.
                let shape = if [
                    "ResourceNotFound",
                    "Table",
                    "Backup",
                    "ResourceInUse",
                    "InvalidRestore",
                    "PointInTime",
                ]
                .iter()
                .any(|own| code.starts_with(own))
                {
                    "com.amazonaws.dynamodb.v20120810"
                } else {
                    "com.amazon.coral.service"
                };
                Self::json(&json!({"__type": format!("{shape}#{code}"), "message": message}))
            }
            "acm" | "kms" | "route53-recovery-cluster" => {
                Self::json(&json!({"__type": code, "message": message}))
            }
            "eks" => Self::json(&json!({"message": message})).with("x-amzn-errortype", code),
            "backup" => Self::json(&json!({"Code": code, "Message": message}))
                .with("x-amzn-errortype", code),
            "s3" if ask.method == Method::HEAD => Self::empty(status),
            "s3" => Self::xml(&format!(
                "<Error><Code>{code}</Code><Message>{}</Message><RequestId>PRACTICE</RequestId><HostId>PRACTICE</HostId></Error>",
                xml::escape(message)
            )),
            service => {
                let space = match service {
                    "route53" => "https://route53.amazonaws.com/doc/2013-04-01/",
                    "elasticloadbalancing" => super::elb::SPACE,
                    "iam" => "https://iam.amazonaws.com/doc/2010-05-08/",
                    _ => "https://sts.amazonaws.com/doc/2011-06-15/",
                };
                Self::xml(&format!(
                    "<ErrorResponse xmlns=\"{space}\"><Error><Type>Sender</Type><Code>{code}</Code><Message>{}</Message></Error><RequestId>practice</RequestId></ErrorResponse>",
                    xml::escape(message)
                ))
            }
        };
        answer.status = status;
        answer
    }

    pub fn into_response(self) -> Response<Body> {
        let mut builder = Response::builder()
            .status(self.status)
            .header("x-amzn-requestid", "practice");
        for (name, value) in self.headers {
            builder = builder.header(name, value);
        }
        if let Some(kind) = self.content {
            builder = builder.header("content-type", kind);
        }
        builder
            .body(Body::from(self.body))
            .unwrap_or_else(|_| Response::new(Body::empty()))
    }
}
