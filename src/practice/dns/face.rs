//! One DNS server on the wire: hickory's request handler over a [`Role`].

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use hickory_proto::{
    op::{Edns, Header, HeaderCounts, MessageType, Metadata, OpCode, ResponseCode},
    rr::{DNSClass, Name, RecordType},
};
use hickory_server::{
    net::runtime::Time,
    server::{Request, RequestHandler, ResponseHandler, ResponseInfo},
    zone_handler::MessageResponseBuilder,
};

use super::{
    book::{Book, Told},
    cache::Cache,
};
use crate::{
    incident::Side,
    practice::world::{CacheFault, CacheSpec, Fault, Shared},
};

/// What a server is.
#[derive(Debug)]
pub enum Role {
    /// One of the zone's delegated name servers.
    Authority,
    /// A caching resolver.
    Resolver(Mutex<Cache>, CacheSpec),
}

impl Role {
    /// A caching resolver.
    #[must_use]
    pub fn resolver(spec: CacheSpec) -> Self {
        Self::Resolver(Mutex::new(Cache::new(spec.clone())), spec)
    }
}

/// One DNS server.
#[derive(Clone, Debug)]
pub struct Server {
    world: Shared,
    role: Arc<Role>,
}

/// What the server does with a question.
enum Reaction {
    Answer(Box<Told>, bool),
    Code(ResponseCode),
    Silence,
}

impl Server {
    /// A server of that role over the world.
    #[must_use]
    pub fn new(world: Shared, role: Role) -> Self {
        Self {
            world,
            role: Arc::new(role),
        }
    }

    /// What it answers now.
    fn react(&self, name: &Name, kind: RecordType) -> Reaction {
        let (fault, book, now) = {
            let (world, now) = self.world.now();
            // The hosted zone belongs to the primary's account; a fault of its DNS is one of the authorities.
            let fault = world.fault(Side::Primary, "dns", now);
            (fault, Book::of(&world, now), now)
        };
        match &*self.role {
            Role::Authority => match fault {
                Fault::None => Reaction::Answer(Box::new(book.ask(name, kind)), true),
                Fault::Unavailable | Fault::Garbage => Reaction::Code(ResponseCode::ServFail),
                Fault::Forbidden => Reaction::Code(ResponseCode::Refused),
                Fault::Hang | Fault::Reset => Reaction::Silence,
            },
            Role::Resolver(cache, spec) => match spec.fault {
                CacheFault::None => {
                    let upstream = (fault == Fault::None).then_some(&book);
                    let mut cache = cache.lock().unwrap_or_else(PoisonError::into_inner);
                    Reaction::Answer(Box::new(cache.ask(name, kind, now, upstream)), false)
                }
                CacheFault::Servfail => Reaction::Code(ResponseCode::ServFail),
                CacheFault::Refused => Reaction::Code(ResponseCode::Refused),
                CacheFault::Dead => Reaction::Silence,
            },
        }
    }

    fn delay(&self) -> Duration {
        match &*self.role {
            Role::Authority => Duration::ZERO,
            Role::Resolver(_, spec) => Duration::from_millis(spec.delay),
        }
    }

    async fn handle<R: ResponseHandler>(&self, request: &Request, mut to: R) -> ResponseInfo {
        let mut meta = Metadata::response_from_request(&request.metadata);
        let recursive = matches!(*self.role, Role::Resolver(..));
        meta.recursion_available = recursive;
        let reaction = match request.request_info() {
            Ok(info) if info.query.query_class() == DNSClass::IN => {
                let name: Name = info.query.name().into();
                tokio::time::sleep(self.delay()).await;
                self.react(&name, info.query.query_type())
            }
            _ => Reaction::Code(ResponseCode::FormErr),
        };
        let (told, authoritative) = match reaction {
            Reaction::Silence => return nothing(request),
            Reaction::Answer(told, authoritative) => (*told, authoritative),
            Reaction::Code(rcode) => {
                let told = Told {
                    rcode,
                    answers: Vec::new(),
                    soa: None,
                };
                (told, false)
            }
        };
        meta.authoritative = authoritative && told.rcode != ResponseCode::Refused;
        meta.response_code = told.rcode;
        let mut builder = MessageResponseBuilder::from_message_request(request);
        let mut edns = Edns::new();
        if let Some(asked) = &request.edns {
            edns.set_max_payload(asked.max_payload().clamp(512, 1232));
            builder.edns(&edns);
        }
        let response = builder.build(meta, &told.answers, [], &told.soa, []);
        // The asker may be gone; it asks again if it wants to.
        match to.send_response(response).await {
            Ok(info) => info,
            Err(_) => nothing(request),
        }
    }
}

fn nothing(request: &Request) -> ResponseInfo {
    let mut metadata = Metadata::new(request.metadata.id, MessageType::Response, OpCode::Query);
    metadata.response_code = ResponseCode::ServFail;
    ResponseInfo::from(Header {
        metadata,
        counts: HeaderCounts::default(),
    })
}

impl RequestHandler for Server {
    // The trait is declared with `async_trait`; this is what that macro would write.
    fn handle_request<'life0, 'life1, 'async_trait, R, T>(
        &'life0 self,
        request: &'life1 Request,
        response_handle: R,
    ) -> Pin<Box<dyn Future<Output = ResponseInfo> + Send + 'async_trait>>
    where
        R: 'async_trait + ResponseHandler,
        T: 'async_trait + Time,
        'life0: 'async_trait,
        'life1: 'async_trait,
        Self: 'async_trait,
    {
        Box::pin(self.handle(request, response_handle))
    }
}
