//! The cluster probe, its judges and the runbook's helm steps against a real control plane with KWOK and the real Helm.

mod failures;
mod freeze;
mod moves;
mod pending;
mod pods;
mod prerequisites;
mod reconcilers;
mod resources;
mod restart;
mod rights;
mod streams;
