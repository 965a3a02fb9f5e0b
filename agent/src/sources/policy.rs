//! The operator's local policy: which hosts, tables and topics may ever be read, and what of them is masked. It outranks the
//! cloud.

use clarity_domain::masking::MaskRule;
use clarity_wire::frame::Mask;
use serde::{Deserialize, Serialize};

/// `[policy]` of `agent.toml`. What is absent is not narrowed.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// `host:port`, with `*`.
    #[serde(default)]
    pub hosts: Option<Patterns>,
    /// `schema.table`, with `*`.
    #[serde(default)]
    pub tables: Option<Patterns>,
    /// `[[policy.masks]]`: fields that leave this machine masked, whatever the cloud says.
    #[serde(default)]
    pub masks: Vec<LocalMask>,
}

/// A mask of the operator's.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct LocalMask {
    /// A source's name; absent: each of them.
    #[serde(default)]
    pub source: Option<String>,
    /// `schema.table`, or `*`.
    pub stream: String,
    /// A column, or a path inside a JSON column.
    pub field: String,
    /// `{ kind = "hide" }`, `hash`, `partial` with `keep_last`, `bucket` with `width`.
    pub rule: MaskRule,
}

impl From<LocalMask> for Mask {
    fn from(mask: LocalMask) -> Self {
        Self { source: mask.source, stream: mask.stream, field: mask.field, rule: mask.rule }
    }
}

impl Policy {
    pub fn allows_host(&self, host: &str, port: u16) -> bool {
        self.hosts.as_ref().is_none_or(|p| p.matches(&format!("{host}:{port}")))
    }

    pub fn allows_table(&self, table: &str) -> bool {
        self.tables.as_ref().is_none_or(|p| p.matches(table))
    }
}

/// Names with `*` for any run of characters.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq, Eq)]
#[serde(transparent)]
pub struct Patterns(Vec<String>);

impl Patterns {
    pub fn new<S: Into<String>>(patterns: impl IntoIterator<Item = S>) -> Self {
        Self(patterns.into_iter().map(Into::into).collect())
    }

    pub fn matches(&self, name: &str) -> bool {
        self.0.iter().any(|p| matches(p.as_bytes(), name.as_bytes()))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn as_slice(&self) -> &[String] {
        &self.0
    }
}

/// Two cursors and one point to come back to: linear in practice, no recursion.
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    let (mut p, mut n) = (0, 0);
    let mut retry = None;
    while n < name.len() {
        if pattern.get(p) == Some(&b'*') {
            retry = Some((p, n));
            p += 1;
        } else if pattern.get(p) == Some(&name[n]) {
            p += 1;
            n += 1;
        } else if let Some((star, from)) = retry {
            retry = Some((star, from + 1));
            p = star + 1;
            n = from + 1;
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|&b| b == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        let p = Patterns::new(["public.*", "mes.order_*_log"]);
        assert!(p.matches("public.machines"));
        assert!(p.matches("mes.order_2024_log"));
        assert!(!p.matches("mes.orders"));
        assert!(!p.matches("xpublic.machines"));
        assert!(Patterns::new(["*"]).matches("anything.at_all"));
        assert!(!Patterns::default().matches("public.machines"));
    }

    #[test]
    fn an_absent_policy_narrows_nothing_and_an_empty_one_allows_nothing() {
        assert!(Policy::default().allows_table("public.t"));
        let closed = Policy { hosts: Some(Patterns::default()), tables: Some(Patterns::default()), masks: Vec::new() };
        assert!(!closed.allows_table("public.t"));
        assert!(!closed.allows_host("127.0.0.1", 5432));
    }
}
