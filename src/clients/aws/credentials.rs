//! Credentials that remember when they end.

use std::sync::{Arc, Mutex, PoisonError};

use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};

use crate::incident::Moment;

/// A provider that notes the expiry of what it hands out. The SDK asks it only when its cache has run out, so the note
/// is always about the credentials in use.
#[derive(Debug)]
pub(super) struct Remembering {
    inner: SharedCredentialsProvider,
    expires: Arc<Mutex<Option<Moment>>>,
}

impl Remembering {
    pub(super) const fn new(
        inner: SharedCredentialsProvider,
        expires: Arc<Mutex<Option<Moment>>>,
    ) -> Self {
        Self { inner, expires }
    }
}

impl ProvideCredentials for Remembering {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async {
            let credentials = self.inner.provide_credentials().await?;
            let until = credentials.expiry().and_then(|at| {
                let since = at.duration_since(std::time::UNIX_EPOCH).ok()?;
                Some(Moment::from_millis(i64::try_from(since.as_millis()).ok()?))
            });
            *self.expires.lock().unwrap_or_else(PoisonError::into_inner) = until;
            Ok(credentials)
        })
    }
}
