//! The cluster probe, its judges and the runbook's helm steps against a real control plane with KWOK and the real Helm.

mod failures;
mod moves;
mod pods;
mod reconcilers;
mod rights;
mod streams;
