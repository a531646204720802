//! One question to one server.

use std::net::SocketAddr;

use hickory_proto::{
    ProtoError,
    op::{Edns, Message, MessageType, OpCode, Query},
    rr::{Name, RecordType},
};

use super::name;
use crate::incident::Failure;

/// The largest answer asked for over UDP: what passes every path unfragmented (DNS flag day 2020).
pub const UDP_SIZE: u16 = 1232;

/// Which addresses are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// IPv4 addresses.
    A,
    /// IPv6 addresses.
    Aaaa,
    /// Delegation.
    Ns,
}

impl Kind {
    pub(super) const fn record_type(self) -> RecordType {
        match self {
            Self::A => RecordType::A,
            Self::Aaaa => RecordType::AAAA,
            Self::Ns => RecordType::NS,
        }
    }
}

/// One question to one server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// Who is asked.
    pub server: SocketAddr,
    /// What is asked for.
    pub kind: Kind,
    /// Recursion desired: set for resolvers; an authority is asked without, so that it tells only what it knows itself.
    pub recurse: bool,
    pub(super) name: Name,
}

impl Question {
    /// A question for a host's addresses.
    ///
    /// # Errors
    /// If the host is no domain name.
    pub fn new(server: SocketAddr, host: &str, kind: Kind, recurse: bool) -> Result<Self, Failure> {
        Ok(Self {
            server,
            kind,
            recurse,
            name: name::absolute(host)?,
        })
    }

    /// The name asked for, fit to be shown.
    #[must_use]
    pub fn asked(&self) -> String {
        name::text(&self.name)
    }

    /// The message with an id.
    pub(super) fn message(&self, id: u16) -> Result<Vec<u8>, ProtoError> {
        let mut message = Message::new(id, MessageType::Query, OpCode::Query);
        message.metadata.recursion_desired = self.recurse;
        message.add_query(Query::query(self.name.clone(), self.kind.record_type()));
        let mut edns = Edns::new();
        edns.set_max_payload(UDP_SIZE);
        message.set_edns(edns);
        message.to_vec()
    }
}
