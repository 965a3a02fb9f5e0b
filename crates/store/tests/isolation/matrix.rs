//! The attempt matrix, in both worlds at once: every role, relation and context, and what came of it judged.

use std::collections::HashSet;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use crate::attempts::{Attempt, Context, Manner, calls, on, session};
use crate::surface::{Role, Surface};
use crate::values::{marked, marked_beyond};
use crate::worlds::{Both, Worlds};

/// How much of it.
#[derive(Clone, Copy)]
pub enum Scale<'a> {
    /// Every context.
    Full,
    /// The strongest context alone; all roles, relations and statements.
    Quick,
    /// Of these relations, functions (`name()`) or the `session`, what a role has something to do with.
    Only(&'a [&'a str]),
}

#[derive(Default)]
pub struct Findings {
    tried: HashSet<u64>,
    pub leaks: Vec<String>,
    pub differences: Vec<String>,
}

impl Findings {
    /// Distinct ones: role, context and statement.
    pub fn attempts(&self) -> usize {
        self.tried.len()
    }

    fn judge(&mut self, worlds: &Worlds, role: &Role, context: &Context, attempt: &Attempt, both: &Both) {
        let mut hasher = DefaultHasher::new();
        (&role.name, &context.name, &attempt.sql).hash(&mut hasher);
        self.tried.insert(hasher.finish());
        let told = |what: &str| {
            let seen: String = both.with.text.chars().take(300).collect();
            let sql: String = attempt.sql.chars().take(400).collect();
            format!("{} ({}): {sql}\n    {what}: {}", role.name, context.name, seen.trim_end())
        };
        if let Some(what) = leak(worlds, attempt, both) {
            self.leaks.push(told(&what));
        }
        if both.with.text != both.without.text || both.with.succeeded != both.without.succeeded {
            let without: String = both.without.text.chars().take(300).collect();
            self.differences.push(told(&format!("without the victim it is `{}`, with", without.trim_end())));
        }
    }
}

fn leak(worlds: &Worlds, attempt: &Attempt, both: &Both) -> Option<String> {
    let Both { with, without } = both;
    if attempt.forbidden && (with.succeeded || without.succeeded) {
        return Some("it succeeds".into());
    }
    if worlds.with.touched(with) || worlds.without.touched(without) {
        return Some("it changes what is the victim's".into());
    }
    let own_rows_only = matches!(attempt.manner, Manner::Plain | Manner::CopyOut) && with.succeeded;
    if own_rows_only {
        return marked(&with.text).map(|mark| format!("it shows the victim's {mark}"));
    }
    marked_beyond(&with.text, &attempt.sql).map(|word| format!("it shows the victim's {word}"))
}

impl Scale<'_> {
    fn contexts(self, role: &Role, concerned: bool) -> Vec<Context> {
        match self {
            Self::Full if concerned => Context::all(&role.name, role.owner),
            Self::Only(_) => vec![Context::own(4), Context::none(), Context::malformed()],
            // For quickness; or refused in any, so one is enough.
            Self::Full | Self::Quick => vec![Context::own(4)],
        }
    }

    fn names(self, name: &str) -> bool {
        match self {
            Self::Full | Self::Quick => true,
            Self::Only(names) => names.contains(&name),
        }
    }
}

/// Tries all that the scale says.
pub async fn run(worlds: &mut Worlds, surface: &Surface, scale: Scale<'_>) -> Findings {
    let mut findings = Findings::default();
    for role in &surface.roles {
        for relation in surface.relations.iter().filter(|r| scale.names(&r.name)) {
            let granted = relation.grant(&role.name).is_some();
            if matches!(scale, Scale::Only(_)) && !granted {
                continue;
            }
            let attempts = on(surface, relation, &role.name, role.owner);
            for context in scale.contexts(role, granted && !relation.outside) {
                round(worlds, &mut findings, role, &context, &attempts).await;
            }
        }
        // The owner may change its functions; what they do is tried by those who may only call them.
        for function in surface.functions.iter().filter(|f| scale.names(&format!("{}()", f.name)) && !role.owner) {
            let concerned = function.callers.contains(&role.name);
            for context in scale.contexts(role, concerned) {
                round(worlds, &mut findings, role, &context, &calls(surface, function, &role.name)).await;
            }
        }
        if scale.names("session") {
            for context in scale.contexts(role, false) {
                round(worlds, &mut findings, role, &context, &session(surface, &role.name, role.owner)).await;
            }
        }
    }
    findings
}

async fn round(worlds: &mut Worlds, findings: &mut Findings, role: &Role, context: &Context, attempts: &[Attempt]) {
    let outcomes = worlds.attempt(&role.name, context, attempts).await;
    for (attempt, both) in attempts.iter().zip(&outcomes) {
        findings.judge(worlds, role, context, attempt, both);
    }
}
