//! The real SDK clients over real sockets: the practice's AWS face, recorded answers, and the steps that call AWS.

mod canned;
mod coordination;
mod copied;
mod faces;
mod recorded;
mod rig;
mod steps;
mod tables;
