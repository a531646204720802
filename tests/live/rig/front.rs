//! nginx: a process of its own that can be killed and frozen, without root and with all its files in one folder.

use std::{
    net::{SocketAddr, TcpStream},
    path::Path,
    time::Duration,
};

use super::server::Server;

/// Starts nginx as one process with these servers (text of the `http` block) and waits until it listens.
pub fn start(name: &str, folder: &Path, listens: SocketAddr, servers: &str) -> Server {
    let conf = configure(name, folder, servers);
    let args = ["-c", &conf, "-p", &folder.to_string_lossy(), "-e", "stderr"].map(str::to_owned);
    let mut server = Server::start(name, folder, &super::program("nginx"), &args, &[]);
    ready(&mut server, listens);
    server
}

/// Writes what nginx is to read when it is started again.
pub fn configure(name: &str, folder: &Path, servers: &str) -> String {
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|kind| format!("    {kind}_temp_path {name}.tmp;\n"))
        .concat();
    let text = format!(
        "daemon off;\nmaster_process off;\npid {name}.pid;\nerror_log stderr warn;\nevents {{ worker_connections 512; }}\n\
         http {{\n    access_log off;\n{temporary}{servers}}}\n"
    );
    let path = folder.join(format!("{name}.conf"));
    std::fs::write(&path, text).expect("a configuration");
    path.to_string_lossy().into_owned()
}

/// Waits until it listens.
pub fn ready(server: &mut Server, listens: SocketAddr) {
    server.ready(|| TcpStream::connect_timeout(&listens, Duration::from_secs(1)).ok());
}
