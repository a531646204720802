//! The unauthenticated endpoints of a Teleport proxy (`lib/web/apiserver.go`).

/// Needs the Auth Service.
pub const PING: &str = "/webapi/ping";

/// Answered by the proxy alone.
pub const FIND: &str = "/webapi/find";

/// The host certificate authorities as PEM. Rate limited; needs the Auth Service.
pub const EXPORT: &str = "/webapi/auth/export?type=tls-host";
