//! One-shot readiness checks.
