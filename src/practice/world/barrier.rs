//! The load balancer that AWS made for a release, as far as it can be shut.

/// Its listeners and security groups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Barrier {
    /// The ports that it listens on.
    pub ports: Vec<u16>,
    /// Its security groups.
    pub groups: Vec<String>,
}

/// The group that lets everybody in.
const OPEN: &str = "sg-0123456789abcdef0";

impl Default for Barrier {
    fn default() -> Self {
        Self {
            ports: vec![443],
            groups: vec![OPEN.to_owned()],
        }
    }
}

impl Barrier {
    /// Whether anybody gets through.
    #[must_use]
    pub fn open(&self) -> bool {
        !self.ports.is_empty() && self.groups.iter().any(|group| group == OPEN)
    }
}
