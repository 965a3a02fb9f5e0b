//! The rule itself, on a plain list of edges.
//!
//! What is not listed is not allowed, so a new crate of ours has to be entered here on purpose.

/// One `[dependencies]` line.
#[derive(Debug, Clone)]
pub struct Edge {
    pub from: String,
    pub to: String,
    /// Under `[dev-dependencies]`.
    pub dev: bool,
    pub optional: bool,
}

const PREFIX: &str = "clarity-";

/// Each crate of ours and those of ours that it may import.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("series", &[]),
    ("runtime", &[]),
    ("wire", &["domain"]),
    ("store", &["domain", "runtime"]),
    ("service", &["store", "series", "domain", "runtime"]),
    ("app", &["domain", "service"]),
    ("frontend", &["app"]),
    ("server", &["app", "service", "wire", "domain", "runtime", "store"]),
    ("workers", &["service", "store", "series", "wire", "domain", "runtime"]),
    ("agent", &["wire", "domain", "runtime"]),
    ("testkit", &["domain", "wire"]),
];

/// The crates that may name it, for clients that nobody else has business with.
const ONLY_IN: &[(&str, &[&str])] = &[("sqlx", &["clarity-store", "clarity-testkit"])];

/// Allowed only where a feature switches it on: the browser must be able to do without.
const ONLY_OPTIONAL: &[(&str, &str)] = &[("clarity-app", "clarity-service")];

/// Never in the browser's WASM.
pub const NOT_IN_THE_BROWSER: [&str; 6] = ["tokio", "sqlx", "sqlx-core", "axum", "rustls", "clarity-store"];

/// One sentence for each edge that breaks the rule.
pub fn violations(edges: &[Edge]) -> Vec<String> {
    edges.iter().filter_map(|edge| broken(edge).map(|why| format!("{} → {}: {why}", edge.from, edge.to))).collect()
}

fn broken(edge: &Edge) -> Option<String> {
    if let Some((_, places)) = ONLY_IN.iter().find(|(name, _)| *name == edge.to)
        && !places.contains(&edge.from.as_str())
    {
        return Some(format!("only {} may name it", places.join(" and ")));
    }
    let to = edge.to.strip_prefix(PREFIX)?;
    let Some(from) = edge.from.strip_prefix(PREFIX) else {
        return Some("a tool imports none of our crates".to_owned());
    };
    // The test kit is for everybody's tests, and for nothing that ships.
    if to == "testkit" {
        return (!edge.dev).then(|| "the test kit is a dev-dependency only".to_owned());
    }
    let Some((_, allowed)) = MAY_IMPORT.iter().find(|(name, _)| *name == from) else {
        return Some(format!("{} is not in the rule: enter it in xtask/src/deps/rule.rs", edge.from));
    };
    if !allowed.contains(&to) {
        return Some(format!(
            "{from} may import {}",
            if allowed.is_empty() { "nothing of ours".into() } else { allowed.join(", ") }
        ));
    }
    let must_be_optional = ONLY_OPTIONAL.iter().any(|(one, other)| *one == edge.from && *other == edge.to);
    (must_be_optional && !edge.optional && !edge.dev).then(|| "only under a feature (optional = true)".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edge(from: &str, to: &str) -> Edge {
        Edge { from: from.into(), to: to.into(), dev: false, optional: false }
    }

    #[test]
    fn what_the_house_allows() {
        let fine = [
            edge("clarity-agent", "clarity-wire"),
            edge("clarity-store", "sqlx"),
            edge("clarity-testkit", "sqlx"),
            edge("clarity-domain", "serde"),
            edge("xtask", "clap"),
            Edge { optional: true, ..edge("clarity-app", "clarity-service") },
            Edge { dev: true, ..edge("clarity-agent", "clarity-testkit") },
        ];
        assert_eq!(violations(&fine), Vec::<String>::new());
    }

    #[test]
    fn each_way_to_break_it_is_found() {
        let broken = [
            edge("clarity-agent", "clarity-store"),
            edge("clarity-domain", "clarity-runtime"),
            edge("clarity-wire", "clarity-store"),
            edge("clarity-app", "clarity-store"),
            edge("clarity-app", "clarity-service"),
            edge("clarity-server", "sqlx"),
            edge("clarity-workers", "clarity-testkit"),
            edge("clarity-frontend", "clarity-service"),
            edge("clarity-newcomer", "clarity-domain"),
            edge("xtask", "clarity-domain"),
            Edge { dev: true, ..edge("clarity-agent", "clarity-store") },
        ];
        for one in broken {
            assert_eq!(violations(std::slice::from_ref(&one)).len(), 1, "{one:?}");
        }
    }
}
