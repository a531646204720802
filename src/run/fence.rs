//! Whether a run may still change something: by this machine's lock and, where several share the incident, by their table.
//! Looked at right before each side effect, which is one spawn or one call.

use crate::{
    clients::aws::coordination::{Held, Shared},
    incident::{Failure, FailureKind, person::short},
    journal::{Folder, Tie, honoured, still_mine},
};

/// Which run of which incident.
#[derive(Clone, Debug)]
pub struct Fence {
    incident: Folder,
    token: u64,
    shared: Option<Shared>,
}

impl Fence {
    /// The fence of a run that was confirmed under a token.
    #[must_use]
    pub const fn new(incident: Folder, token: u64, shared: Option<Shared>) -> Self {
        Self {
            incident,
            token,
            shared,
        }
    }

    /// Whether the run may be started: nobody holds the incident but who confirmed it.
    ///
    /// # Errors
    /// Who holds it now, or why there is no telling.
    pub fn may_start(&self) -> Result<(), String> {
        self.table(|row| row.token == self.token)?;
        // Last: it takes no time, and a take-over on this machine waits for the run's lock, which is held meanwhile.
        still_mine(&self.incident, self.token).map_err(|lost| lost.to_string())
    }

    /// Whether the run may go on changing something: also after its holder left or handed the incident over.
    ///
    /// # Errors
    /// Who took it over, or why there is no telling.
    pub fn may_go_on(&self) -> Result<(), String> {
        self.table(|row| (row.honours..=row.token).contains(&self.token))?;
        honoured(&self.incident, self.token).map_err(|lost| lost.to_string())
    }

    fn table(&self, holds: impl Fn(&Held) -> bool) -> Result<(), String> {
        let Some(shared) = &self.shared else {
            return Ok(());
        };
        let alone = Tie::of(&self.incident).is_some_and(|tie| tie.alone && tie.token <= self.token);
        match look(shared) {
            Ok(Some(row)) if holds(&row) || (alone && row.token < self.token) => Ok(()),
            Ok(Some(row)) => Err(format!(
                "{} on {} took this incident over at {} (token {})",
                short(&row.operator),
                row.host,
                row.at,
                row.token
            )),
            Ok(None) => Err(format!("{} knows nothing of this incident", shared.place())),
            Err(_) if alone => Ok(()),
            Err(failure) => Err(format!("who holds the incident cannot be told: {failure}")),
        }
    }
}

/// On a thread of its own: whoever asks may be in the middle of a runtime, or have none.
fn look(shared: &Shared) -> Result<Option<Held>, Failure> {
    let asked = || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        let runtime =
            runtime.map_err(|error| Failure::new(FailureKind::Other, error.to_string()))?;
        runtime.block_on(shared.look())
    };
    std::thread::scope(|scope| scope.spawn(asked).join()).unwrap_or_else(|_| {
        Err(Failure::new(
            FailureKind::Other,
            "the thread that asks has ended",
        ))
    })
}
