//! What the five name servers read.

use std::{
    fmt::Write as _,
    net::{Ipv4Addr, SocketAddr},
    path::Path,
};

use relight::incident::RecordSet;

use super::{AUTHORITIES, PORT, ZONE};

/// SOA of every zone; the last number is how long a "no" is remembered, in seconds.
fn soa(serial: u32) -> String {
    let (first, _) = AUTHORITIES[0];
    format!("@ 60 IN SOA {first}. hostmaster.{ZONE}. {serial} 7200 900 1209600 2\n")
}

fn delegation() -> String {
    AUTHORITIES
        .map(|(name, _)| format!("@ 60 IN NS {name}.\n"))
        .concat()
}

/// Writes the zone file of the hosted zone. Replaced in one go: a server may be reading it.
/// An alias is served as the address of the host it leads to, as Route 53 does.
pub(super) fn zone(dir: &Path, serial: u32, records: &[RecordSet], hosts: &[(String, Ipv4Addr)]) {
    let mut text = format!("$ORIGIN {ZONE}.\n{}{}", soa(serial), delegation());
    for (name, address) in AUTHORITIES {
        let _ = writeln!(text, "{name}. 60 IN A {address}");
    }
    for set in records {
        for value in &set.values {
            let value = match (&set.alias_zone, set.kind.as_str()) {
                (Some(_), _) => match hosts.iter().find(|(host, _)| host == value) {
                    Some((_, address)) => address.to_string(),
                    None => continue,
                },
                (None, "CNAME") => format!("{value}."),
                (None, _) => value.clone(),
            };
            let _ = writeln!(
                text,
                "{}. {} IN {} {value}",
                set.name,
                set.ttl.unwrap_or(60),
                set.kind
            );
        }
    }
    let (path, new) = (dir.join("example.zone"), dir.join("example.zone.new"));
    std::fs::write(&new, text).expect("a zone file");
    std::fs::rename(new, path).expect("a zone file");
}

/// Writes a zone file for each load balancer's host; gives zones and files, the hosted zone first.
pub(super) fn hosts(dir: &Path, hosts: &[(String, Ipv4Addr)]) -> Vec<(String, String)> {
    let mut zones = vec![(ZONE.to_owned(), "example.zone".to_owned())];
    for (host, address) in hosts {
        let (label, zone) = host.split_once('.').expect("a host in a zone");
        let file = format!("{zone}.zone");
        let text = format!(
            "$ORIGIN {zone}.\n{}{}{label} 60 IN A {address}\n",
            soa(1),
            delegation()
        );
        std::fs::write(dir.join(&file), text).expect("a zone file");
        zones.push((zone.to_owned(), file));
    }
    zones
}

pub(super) fn knot(dir: &Path, zones: &[(String, String)]) -> String {
    let dir = dir.display();
    let (_, address) = AUTHORITIES[0];
    let mut text = format!(
        "server:\n    rundir: \"{dir}\"\n    listen: {address}@{PORT}\n    udp-workers: 1\n    tcp-workers: 1\n    \
         background-workers: 1\nlog:\n  - target: stderr\n    any: info\ncontrol:\n    listen: knot.ctl\n\
         database:\n    storage: \"{dir}/knot\"\ntemplate:\n  - id: default\n    storage: \"{dir}\"\n    \
         zonefile-sync: -1\n    zonefile-load: whole\n    journal-content: none\nzone:\n"
    );
    for (zone, file) in zones {
        let _ = write!(text, "  - domain: {zone}\n    file: \"{file}\"\n");
    }
    text
}

pub(super) fn nsd(dir: &Path, zones: &[(String, String)]) -> String {
    let dir = dir.display();
    let (_, address) = AUTHORITIES[1];
    let mut text = format!(
        "server:\n    ip-address: {address}@{PORT}\n    port: {PORT}\n    username: \"\"\n    chroot: \"\"\n    \
         zonesdir: \"{dir}\"\n    database: \"\"\n    pidfile: \"{dir}/nsd.pid\"\n    xfrdfile: \"{dir}/nsd.xfrd\"\n    \
         zonelistfile: \"{dir}/nsd.zones\"\n    xfrdir: \"{dir}\"\n    zonefiles-check: yes\n    zonefiles-write: 0\n    \
         server-count: 1\nremote-control:\n    control-enable: yes\n    control-interface: \"{dir}/nsd.ctl\"\n"
    );
    for (zone, file) in zones {
        let _ = write!(
            text,
            "zone:\n    name: \"{zone}\"\n    zonefile: \"{file}\"\n"
        );
    }
    text
}

/// The authorities with their port, in a server's own way of writing.
fn upstream(written: impl Fn(Ipv4Addr) -> String) -> String {
    AUTHORITIES.map(|(_, address)| written(address)).concat()
}

/// Only the zones that are there are asked for; the rest is refused here, so that nobody asks the root. It
/// gives up on authorities, and forgets that they were dead, sooner than by default: that would be half a minute each.
pub(super) fn unbound(dir: &Path, at: SocketAddr, zones: &[(String, String)]) -> String {
    let upstream = upstream(|address| format!("    stub-addr: {address}@{PORT}\n"));
    let mut text = format!(
        "server:\n    interface: {}\n    port: {}\n    username: \"\"\n    chroot: \"\"\n    directory: \"{}\"\n    \
         pidfile: \"\"\n    use-syslog: no\n    logfile: \"\"\n    do-not-query-localhost: no\n    \
         module-config: \"iterator\"\n    access-control: 127.0.0.0/8 allow\n    num-threads: 1\n    do-ip6: no\n    \
         infra-host-ttl: 2\n    outbound-msg-retry: 1\n    local-zone: \".\" refuse\n",
        at.ip(),
        at.port(),
        dir.display()
    );
    for (zone, _) in zones {
        let _ = writeln!(text, "    local-zone: \"{zone}\" transparent");
    }
    text.push_str("remote-control:\n    control-enable: no\n");
    for (zone, _) in zones {
        let _ = write!(text, "stub-zone:\n    name: \"{zone}\"\n{upstream}");
    }
    text
}

/// `open` is whether anybody may ask; else everybody is refused.
pub(super) fn bind(dir: &Path, at: SocketAddr, open: bool) -> String {
    let upstream = upstream(|address| format!("{address} port {PORT}; "));
    let who = if open { "any" } else { "none" };
    format!(
        "options {{\n    directory \"{}\";\n    listen-on port {} {{ {}; }};\n    listen-on-v6 {{ none; }};\n    \
         pid-file none;\n    session-keyfile none;\n    lock-file none;\n    dnssec-validation no;\n    recursion yes;\n    \
         allow-recursion {{ {who}; }};\n    allow-query {{ {who}; }};\n    empty-zones-enable no;\n    notify no;\n    \
         max-cache-size 16m;\n    forward only;\n    forwarders {{ {upstream}}};\n}};\ncontrols {{ }};\n",
        dir.display(),
        at.port(),
        at.ip()
    )
}

pub(super) fn kresd(dir: &Path, at: SocketAddr) -> String {
    let upstream = upstream(|address| format!("'{address}@{PORT}', "));
    format!(
        "log_target('stderr')\nnet.ipv6 = false\nnet.listen('{}', {}, {{ kind = 'dns' }})\n\
         for _, name in ipairs({{ 'ta_update', 'ta_signal_query', 'priming', 'detect_time_skew', 'detect_time_jump' }}) do\n    \
         pcall(modules.unload, name)\nend\ntrust_anchors.remove('.')\n\
         cache.open(10 * MB, 'lmdb://{}/cache')\npolicy.add(policy.all(policy.STUB({{ {upstream}}})))\n",
        at.ip(),
        at.port(),
        dir.display()
    )
}
