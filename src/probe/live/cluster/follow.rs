//! One kind of object followed for ever: list, watch, and list again when the watch is lost.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use serde::de::DeserializeOwned;
use tokio::sync::Notify;

use super::{
    Rhythm,
    shelf::{News, Shelf},
};
use crate::{
    clients::kube::{Change, Kube, Query, list, watch},
    incident::{Failure, FailureKind},
};

/// A watch that lived this long was a good one: the next back-off begins anew.
const HEALTHY: Duration = Duration::from_secs(30);
/// A change that had to be waited for longer than this came alone,
const ALONE: Duration = Duration::from_millis(1);
/// and so long it waits for company once it is taken in: 100 changes a second are read 25 times, not 100 times.
const COMPANY: Duration = Duration::from_millis(40);
/// How long to wait before asking again for what is forbidden.
const FORBIDDEN: Duration = Duration::from_mins(1);

/// What the followers of one cluster share.
pub struct Shared<'a> {
    /// The client.
    pub kube: &'a Kube,
    /// How patient to be.
    pub rhythm: &'a Rhythm,
    /// Where everything goes.
    pub shelf: &'a Mutex<Shelf>,
    /// Rung when something shown has changed.
    pub changed: &'a Notify,
    /// Rung when everything is to be listed again.
    pub again: &'a Notify,
}

impl Shared<'_> {
    /// Changes the shelf and rings if that shows.
    pub fn change(&self, edit: impl FnOnce(&mut Shelf) -> bool) {
        let shows = edit(&mut self.shelf.lock().unwrap_or_else(PoisonError::into_inner));
        if shows {
            self.changed.notify_one();
        }
    }

    /// Follows a kind. Returns only if it is `vital` and cannot be listed; any other kind becomes a gap and is tried
    /// again.
    pub async fn follow<T: DeserializeOwned + Send>(
        &self,
        query: &Query,
        vital: bool,
        put: fn(&mut Shelf, News<T>) -> bool,
    ) -> Failure {
        let mut pause = self.rhythm.back_off;
        loop {
            match list::<T>(self.kube, query, self.rhythm.request).await {
                Ok(all) => {
                    self.change(|shelf| put(shelf, News::All(all.items)) | shelf.have(query.what));
                    let began = Instant::now();
                    self.watch(query, &all.version, put).await;
                    if began.elapsed() >= HEALTHY {
                        pause = self.rhythm.back_off;
                    }
                }
                Err(failure) if vital => return failure,
                Err(failure) => {
                    if matches!(failure.kind, FailureKind::Forbidden | FailureKind::NotFound) {
                        pause = pause.max(FORBIDDEN);
                    }
                    self.change(|shelf| shelf.lack(query.what, failure));
                }
            }
            // Jitter, so that the seven watches of a restarted API server do not come back in step.
            let jitter = pause.mul_f32(fastrand::f32() * 0.5);
            tokio::time::sleep(pause + jitter).await;
            pause = (pause * 2)
                .min(self.rhythm.back_off_cap)
                .max(pause.min(FORBIDDEN));
        }
    }

    /// Watches until the watch ends, breaks, falls silent, or everything is to be listed again. Why does not matter:
    /// the list that follows tells whether the API is there.
    async fn watch<T: DeserializeOwned + Send>(
        &self,
        query: &Query,
        version: &str,
        put: fn(&mut Shelf, News<T>) -> bool,
    ) {
        let Ok(mut watch) = watch(self.kube, query, version, self.rhythm.request).await else {
            return;
        };
        loop {
            let asked = Instant::now();
            let next = tokio::select! {
                next = tokio::time::timeout(self.rhythm.silence, watch.next::<T>()) => next,
                () = self.again.notified() => return,
            };
            match next {
                Ok(Ok(Some(Change::Bookmark))) => {}
                Ok(Ok(Some(change))) => {
                    self.change(|shelf| put(shelf, News::One(change)));
                    if asked.elapsed() > ALONE {
                        tokio::time::sleep(COMPANY).await;
                    }
                }
                Ok(Ok(None) | Err(_)) | Err(_) => return,
            }
        }
    }
}
