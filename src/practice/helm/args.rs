//! helm's arguments, as far as the runbook uses them.

use std::time::Duration;

/// Flags that take a value: long name, short name.
const VALUES: [(&str, Option<char>); 7] = [
    ("namespace", Some('n')),
    ("kube-context", None),
    ("kubeconfig", None),
    ("timeout", None),
    ("version", None),
    ("values", Some('f')),
    ("output", Some('o')),
];
/// Flags that stand alone, or take `=value`.
const SWITCHES: [&str; 7] = [
    "wait",
    "create-namespace",
    "reset-values",
    "short",
    "dry-run",
    "debug",
    "all",
];

/// A command line, understood.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Args {
    pub command: String,
    positional: Vec<String>,
    flags: Vec<(String, String)>,
}

impl Args {
    pub(super) fn read(args: &[String]) -> Result<Self, String> {
        let mut read = Self::default();
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            let (name, given) = if let Some(long) = arg.strip_prefix("--") {
                match long.split_once('=') {
                    Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
                    None => (long.to_owned(), None),
                }
            } else if let Some(short) = arg.strip_prefix('-').filter(|short| !short.is_empty()) {
                let found = VALUES
                    .iter()
                    .find(|(_, letter)| letter.is_some_and(|letter| short == letter.to_string()));
                let (name, _) =
                    found.ok_or_else(|| format!("unknown shorthand flag: {short:?} in {arg}"))?;
                ((*name).to_owned(), None)
            } else if read.command.is_empty() {
                read.command.clone_from(arg);
                continue;
            } else {
                read.positional.push(arg.clone());
                continue;
            };
            let value = if VALUES.iter().any(|(known, _)| *known == name) {
                match given.or_else(|| args.next().cloned()) {
                    Some(value) => value,
                    None => return Err(format!("flag needs an argument: --{name}")),
                }
            } else if SWITCHES.contains(&name.as_str()) {
                given.unwrap_or_else(|| "true".to_owned())
            } else {
                return Err(format!("unknown flag: --{name}"));
            };
            read.flags.push((name, value));
        }
        if read.command.is_empty() {
            return Err("no command; see 'helm --help'".to_owned());
        }
        Ok(read)
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.flags
            .iter()
            .rev()
            .find(|(flag, _)| flag == name)
            .map(|(_, value)| value.as_str())
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| value != "false")
    }

    pub(super) fn name(&self, at: usize, usage: &str) -> Result<String, String> {
        self.positional.get(at).cloned().ok_or_else(|| {
            format!(
                "{usage:?} requires more arguments than {}",
                self.positional.len()
            )
        })
    }

    /// `--timeout`, five minutes unless said: `90s`, `5m`, `1h`, `1m30s`.
    pub(super) fn timeout(&self) -> Result<Duration, String> {
        let Some(text) = self.get("timeout") else {
            return Ok(Duration::from_mins(5));
        };
        let wrong = || {
            format!(
                "invalid argument {text:?} for \"--timeout\" flag: time: invalid duration {text:?}"
            )
        };
        let mut total = 0_u64;
        let mut digits = String::new();
        for c in text.chars() {
            if c.is_ascii_digit() {
                digits.push(c);
                continue;
            }
            let unit = match c {
                's' => 1,
                'm' => 60,
                'h' => 3600,
                _ => return Err(wrong()),
            };
            let number: u64 = digits.parse().map_err(|_| wrong())?;
            total = total.saturating_add(number.saturating_mul(unit));
            digits.clear();
        }
        if digits.is_empty() {
            Ok(Duration::from_secs(total))
        } else {
            Err(wrong())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Args, String> {
        Args::read(&line.split(' ').map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn the_runbooks_own_lines_are_understood() {
        let args =
            read("uninstall tc --namespace t --kube-context p --kubeconfig /k --wait --timeout 5m")
                .expect("args");
        assert_eq!(
            (
                args.command.as_str(),
                args.get("namespace"),
                args.has("wait")
            ),
            ("uninstall", Some("t"), true)
        );
        assert_eq!(args.timeout(), Ok(Duration::from_mins(5)));
        assert_eq!(args.name(0, "helm uninstall"), Ok("tc".to_owned()));
        let args =
            read("install tc chart --version 18 -f v.yaml -n t --create-namespace --timeout=1m30s")
                .expect("args");
        assert_eq!(
            (args.get("values"), args.timeout()),
            (Some("v.yaml"), Ok(Duration::from_secs(90)))
        );
        assert_eq!(
            read("list -o json").expect("args").get("output"),
            Some("json")
        );
    }

    #[test]
    fn what_helm_does_not_know_is_refused_in_its_words() {
        assert_eq!(read("install --frce"), Err("unknown flag: --frce".into()));
        assert_eq!(
            read("list -z"),
            Err("unknown shorthand flag: \"z\" in -z".into())
        );
        assert_eq!(
            read("list --namespace"),
            Err("flag needs an argument: --namespace".into())
        );
        assert!(
            read("status")
                .expect("args")
                .name(0, "helm status")
                .is_err()
        );
        assert!(
            read("install --timeout 5x")
                .expect("args")
                .timeout()
                .is_err()
        );
    }
}
