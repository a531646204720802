//! Credentials that remember when they end, and are read again when told to.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use aws_credential_types::{
    Credentials,
    credential_feature::AwsCredentialFeature,
    provider::{
        ProvideCredentials, Result as Provided, SharedCredentialsProvider, error::CredentialsError,
        future,
    },
};
use futures::future::BoxFuture;

use super::again;
use crate::incident::Moment;

/// How long a provider may take; the SDK's own limit.
const PATIENCE: Duration = Duration::from_secs(5);
/// Credentials that end sooner than this are renewed before they are used.
const MARGIN: Duration = Duration::from_secs(10);

/// Makes a provider that has read nothing yet: those of the SDK read profile files once and never again.
pub(super) type Make = Box<dyn Fn() -> BoxFuture<'static, SharedCredentialsProvider> + Send + Sync>;

/// A provider that holds what it hands out until that ends or is to be read again, and notes when it ends. It takes the
/// place of the SDK's own cache, which cannot be told that a file has changed.
pub(super) struct Remembering {
    make: Make,
    ends: Arc<Mutex<Option<Ends>>>,
    held: tokio::sync::Mutex<Option<Held>>,
}

struct Held {
    /// The count at which it was made, see [`again::turn`].
    turn: u64,
    provider: SharedCredentialsProvider,
    credentials: Option<Credentials>,
}

impl fmt::Debug for Remembering {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Remembering")
    }
}

impl Remembering {
    pub(super) fn new(make: Make, ends: Arc<Mutex<Option<Ends>>>) -> Self {
        Self {
            make,
            ends,
            held: tokio::sync::Mutex::new(None),
        }
    }

    async fn provide(&self) -> Provided {
        // Held over the call: whoever comes meanwhile waits for the same answer instead of asking as well.
        let mut held = self.held.lock().await;
        let (turn, now) = (again::turn(), SystemTime::now());
        if held.as_ref().is_some_and(|held| held.turn != turn) {
            *held = None;
        }
        let kept = held.as_ref().and_then(|held| held.credentials.clone());
        if let Some(kept) = kept.as_ref().filter(|kept| lasts(kept, now + MARGIN)) {
            return Ok(kept.clone());
        }
        let provider = match &*held {
            Some(held) => held.provider.clone(),
            None => (self.make)().await,
        };
        let asked = tokio::time::timeout(PATIENCE, provider.provide_credentials());
        let given = asked
            .await
            .unwrap_or_else(|_| Err(CredentialsError::provider_timed_out(PATIENCE)));
        match given {
            Ok(credentials) => {
                self.note(&credentials);
                *held = Some(Held {
                    turn,
                    provider,
                    credentials: Some(credentials.clone()),
                });
                Ok(credentials)
            }
            // Whoever renews is down while the last ones still hold for a while.
            Err(_) if kept.as_ref().is_some_and(|kept| lasts(kept, now)) => {
                kept.ok_or_else(|| CredentialsError::not_loaded("nothing is held"))
            }
            Err(error) => {
                // The next call reads the files anew: this one may have come while they were being written.
                *held = None;
                Err(error)
            }
        }
    }

    fn note(&self, credentials: &Credentials) {
        let new = ends(credentials);
        let mut noted = self.ends.lock().unwrap_or_else(PoisonError::into_inner);
        // A role that is assumed again as often as needed ends with the login that it is assumed from.
        let login = noted.filter(|old| !old.renews && new.is_some_and(|new| new.renews));
        *noted = login.or(new);
    }
}

/// When credentials end, and whether that matters to anybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ends {
    /// The end of those that are held.
    pub at: Moment,
    /// Whether their provider gives new ones then by itself.
    pub renews: bool,
}

fn ends(credentials: &Credentials) -> Option<Ends> {
    use AwsCredentialFeature as Of;

    let since = credentials
        .expiry()?
        .duration_since(SystemTime::UNIX_EPOCH)
        .ok()?;
    let at = Moment::from_millis(i64::try_from(since.as_millis()).ok()?);
    let of = credentials.get_property::<Vec<Of>>();
    let any = |all: &[Of]| of.is_some_and(|of| of.iter().any(|one| all.contains(one)));
    let person = [
        Of::CredentialsSso,
        Of::CredentialsProcess,
        Of::CredentialsProfileLogin,
        Of::CredentialsEnvVars,
    ];
    let machine = [
        Of::CredentialsImds,
        Of::CredentialsHttp,
        Of::CredentialsStsAssumeRole,
        Of::CredentialsStsAssumeRoleWebId,
    ];
    Some(Ends {
        at,
        renews: any(&machine) && !any(&person),
    })
}

fn lasts(credentials: &Credentials, until: SystemTime) -> bool {
    credentials.expiry().is_none_or(|end| end > until)
}

impl ProvideCredentials for Remembering {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.provide())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    /// A provider that counts how often it was made, and names the count in the key that it gives.
    fn counting(made: &Arc<AtomicU32>, ends: Option<SystemTime>) -> Make {
        let made = Arc::clone(made);
        Box::new(move || {
            let count = made.fetch_add(1, Ordering::SeqCst) + 1;
            let credentials =
                Credentials::new(format!("AKIA{count}"), "secret", None, ends, "test");
            Box::pin(async move { SharedCredentialsProvider::new(credentials) })
        })
    }

    #[tokio::test]
    async fn they_are_held_until_they_are_to_be_read_again() {
        let made = Arc::new(AtomicU32::new(0));
        let remembering = Remembering::new(counting(&made, None), Arc::default());
        let key = |given: Provided| given.expect("credentials").access_key_id().to_owned();
        let first = key(remembering.provide().await);
        again::read_again();
        let second = key(remembering.provide().await);
        assert_ne!(first, second, "read again");
        assert!(made.load(Ordering::SeqCst) >= 2);
    }

    #[tokio::test]
    async fn the_end_of_what_was_read_last_is_noted() {
        let hour = SystemTime::now() + Duration::from_hours(1);
        let noted: Arc<Mutex<Option<Ends>>> = Arc::default();
        let made = Arc::new(AtomicU32::new(0));
        let remembering = Remembering::new(counting(&made, Some(hour)), Arc::clone(&noted));
        remembering.provide().await.expect("credentials");
        let noted = noted.lock().expect("no poison").expect("an end");
        assert!(!noted.renews, "nobody said that they do");
    }

    #[test]
    fn a_login_ends_and_what_a_machine_is_given_is_given_again() {
        use AwsCredentialFeature as Of;

        let hour = SystemTime::now() + Duration::from_hours(1);
        let given = |of: &[Of]| {
            let mut credentials = Credentials::new("AKIA", "secret", None, Some(hour), "test");
            let features = credentials.get_property_mut_or_default::<Vec<Of>>();
            features.extend_from_slice(of);
            credentials
        };
        let renews = |of: &[Of]| ends(&given(of)).expect("an end").renews;
        assert!(renews(&[Of::CredentialsImds]));
        assert!(renews(&[
            Of::CredentialsProfile,
            Of::CredentialsStsAssumeRole
        ]));
        assert!(!renews(&[Of::CredentialsSso]));
        assert!(!renews(&[
            Of::CredentialsProfileSso,
            Of::CredentialsSso,
            Of::CredentialsStsAssumeRole
        ]));
        assert!(!renews(&[Of::CredentialsProcess]));

        // The role of a login ends with the login.
        let make = || -> Make { Box::new(|| unreachable!("nothing is made")) };
        let remembering = Remembering::new(make(), Arc::default());
        remembering.note(&given(&[Of::CredentialsSso]));
        remembering.note(&given(&[Of::CredentialsStsAssumeRole]));
        let noted = remembering.ends.lock().expect("no poison").expect("an end");
        assert!(!noted.renews);
    }

    #[tokio::test]
    async fn a_provider_that_fails_is_made_anew() {
        let made = Arc::new(AtomicU32::new(0));
        let count = Arc::clone(&made);
        let failing: Make = Box::new(move || {
            count.fetch_add(1, Ordering::SeqCst);
            Box::pin(async { SharedCredentialsProvider::new(Failing) })
        });
        let remembering = Remembering::new(failing, Arc::default());
        for turn in 1..=2 {
            remembering.provide().await.expect_err("none");
            assert_eq!(made.load(Ordering::SeqCst), turn);
        }
    }

    #[derive(Debug)]
    struct Failing;

    impl ProvideCredentials for Failing {
        fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
        where
            Self: 'a,
        {
            future::ProvideCredentials::ready(Err(CredentialsError::not_loaded("being written")))
        }
    }
}
