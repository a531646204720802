//! The HTTP proxy of the environment: which one, and for whom it does not count.

/// What `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` say, in either case of letters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ways {
    https: Option<String>,
    without: Option<String>,
}

impl Ways {
    /// Those of this process.
    #[must_use]
    pub fn of_environment() -> Self {
        Self::of(|name| std::env::var(name).ok())
    }

    fn of(var: impl Fn(&str) -> Option<String>) -> Self {
        let first = |names: &[&str]| {
            let mut all = names.iter().filter_map(|name| var(name));
            all.find(|value| !value.trim().is_empty())
        };
        Self {
            https: first(&["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"]),
            without: first(&["NO_PROXY", "no_proxy"]),
        }
    }

    /// The proxy of `https` addresses, as it was written.
    #[must_use]
    pub fn https(&self) -> Option<&str> {
        self.https.as_deref()
    }

    /// Who is asked directly: what `NO_PROXY` lists, and loopback.
    #[must_use]
    pub fn without(&self) -> String {
        let listed = self.without.as_deref().unwrap_or_default();
        format!("{listed},localhost,127.0.0.0/8,::1")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn either_case_counts_and_an_empty_variable_is_none() {
        type Vars = &'static [(&'static str, &'static str)];
        let cases: [(Vars, Option<&str>, &str); 4] = [
            (&[], None, ""),
            (&[("HTTPS_PROXY", "")], None, ""),
            (
                &[("https_proxy", "http://p:3128"), ("no_proxy", ".internal")],
                Some("http://p:3128"),
                ".internal",
            ),
            (
                &[("HTTPS_PROXY", "http://a"), ("ALL_PROXY", "http://b")],
                Some("http://a"),
                "",
            ),
        ];
        for (vars, https, without) in cases {
            let ways = Ways::of(|name| {
                let found = vars.iter().find(|(known, _)| *known == name);
                found.map(|(_, value)| (*value).to_owned())
            });
            assert_eq!(ways.https(), https, "{vars:?}");
            assert!(
                ways.without().starts_with(&format!("{without},localhost")),
                "{vars:?}"
            );
        }
    }
}
