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
pub(in crate::clients) mod tests {
    use std::sync::{Arc, Mutex};

    use tokio::{
        io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
        net::TcpListener,
    };

    use super::*;

    /// A proxy that notes whom it is asked for, and opens a way to nobody.
    pub struct Proxy {
        /// Where it listens.
        pub url: String,
        asked: Arc<Mutex<Vec<String>>>,
    }

    impl Proxy {
        pub async fn start() -> Self {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
            let url = format!("http://{}", listener.local_addr().expect("an address"));
            let asked: Arc<Mutex<Vec<String>>> = Arc::default();
            let theirs = Arc::clone(&asked);
            tokio::spawn(async move {
                while let Ok((stream, _)) = listener.accept().await {
                    let mut stream = BufReader::new(stream);
                    let mut line = String::new();
                    let _ = stream.read_line(&mut line).await;
                    let host = line
                        .strip_prefix("CONNECT ")
                        .and_then(|rest| rest.split(' ').next());
                    let host = host.unwrap_or(&line).to_owned();
                    theirs.lock().expect("no poison").push(host);
                    let refused = b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n";
                    let _ = stream.write_all(refused).await;
                }
            });
            Self { url, asked }
        }

        /// For whom it was asked so far.
        pub fn asked(&self) -> Vec<String> {
            self.asked.lock().expect("no poison").clone()
        }
    }

    /// Ways as an environment with these variables has them.
    pub fn ways(https: Option<&str>, without: Option<&str>) -> Ways {
        Ways::of(|name| match name {
            "HTTPS_PROXY" => https.map(str::to_owned),
            "NO_PROXY" => without.map(str::to_owned),
            _ => None,
        })
    }

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
