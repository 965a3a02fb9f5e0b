//! What is tried: statements, made from the catalogue for one role in one context on one relation.
//!
//! Not tried is what Postgres shows to every role whatever the policies say, and what no person is ever given: sizes and
//! counts of `pg_class`, counters of `pg_stat_*`, EXPLAIN's choice of a plan and what it says below the top, the text of the
//! role's own other sessions; and a MERGE that deletes and reads no column, which fails where another workspace has any row at
//! all (Postgres applies policies of SELECT only where a column is read). Nor is setting `app.workspace_id` to the victim's id:
//! whoever can do that is the victim.

mod calls;
mod columns;
mod definitions;
mod reads;
mod session;
mod writes;

use super::surface::{Kind, Relation, Surface};
use super::values::{ENDED_USER, NOBODY, OPS_USER, OWN, Who, literal};

pub use calls::calls;
pub use session::session;

/// One statement, or a few in one message.
pub struct Attempt {
    pub sql: String,
    pub manner: Manner,
    pub needs: Right,
    /// That it succeeds at all is a leak.
    pub forbidden: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Manner {
    Plain,
    /// Its rows may repeat what the statement says.
    Echoes,
    /// The text of a plan, in which Postgres counts what a filter removed.
    Plan,
    CopyOut,
    CopyIn,
}

/// What a role has to be granted for it. Outside of workspaces, what is granted is the role's work and no attempt.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Right {
    Select,
    Insert,
    Update,
    Delete,
    /// An owner's.
    Own,
}

impl Attempt {
    fn new(needs: Right, sql: impl Into<String>) -> Self {
        Self { sql: sql.into(), manner: Manner::Plain, needs, forbidden: false }
    }

    fn manner(self, manner: Manner) -> Self {
        Self { manner, ..self }
    }

    fn forbidden(self) -> Self {
        Self { forbidden: true, ..self }
    }
}

/// In whose name a transaction says it runs.
#[derive(Clone, Debug)]
pub struct Context {
    pub name: String,
    pub sql: String,
}

impl Context {
    fn set(name: &str, workspace: &str, rank: &str) -> Self {
        Self::of_sites(name, workspace, rank, "*")
    }

    fn of_sites(name: &str, workspace: &str, rank: &str, sites: &str) -> Self {
        // Only of our support's role is it asked whom it serves: rank 0 is of nobody whom an owner let in.
        let ops_user = if rank == "0" { "" } else { OPS_USER };
        let sql = format!(
            "select set_config('app.workspace_id', '{workspace}', true), set_config('app.rank', '{rank}', true),
                    set_config('app.sites', '{sites}', true), set_config('app.ops_user', '{ops_user}', true)"
        );
        Self { name: name.to_owned(), sql }
    }

    pub fn own(rank: u8) -> Self {
        Self::set(&format!("own workspace, rank {rank}"), OWN, &rank.to_string())
    }

    /// A member of ours who is limited to a site at which nothing is.
    pub fn limited() -> Self {
        Self::of_sites("own workspace, limited to another site", OWN, "1", NOBODY)
    }

    /// In our workspace, of somebody of ours whose grant has ended.
    pub fn of_an_ended_grant() -> Self {
        let sql = format!(
            "select set_config('app.workspace_id', '{OWN}', true), set_config('app.ops_user', '{ENDED_USER}', true)"
        );
        Self { name: "a grant that has ended".into(), sql }
    }

    pub fn none() -> Self {
        Self { name: "no workspace".into(), sql: "select 1".into() }
    }

    pub fn malformed() -> Self {
        Self::set("malformed workspace", "%", "4")
    }

    /// Those that see something, and those that must see nothing. Ranks are a member's; the owner serves nobody.
    pub fn all(role: &str, owner: bool) -> Vec<Self> {
        let member = role == "clarity_app";
        let ranks = if member { 0..=4 } else { 4..=4 };
        let mut all: Vec<Self> = ranks.map(Self::own).collect();
        if role == "clarity_ops" {
            all.push(Self::own(0));
        }
        all.push(Self::none());
        if owner {
            return all;
        }
        all.push(Self::set("empty workspace", "", ""));
        all.push(Self::set("nobody's workspace", NOBODY, "4"));
        all.push(Self::malformed());
        if member {
            all.push(Self::set("malformed rank", OWN, "four"));
            all.push(Self::limited());
            all.push(Self::of_sites("malformed sites", OWN, "2", "*,%"));
        }
        all
    }
}

/// What statements about a relation are made of.
struct Target<'a> {
    surface: &'a Surface,
    relation: &'a Relation,
    name: &'a str,
}

impl Target<'_> {
    fn value(&self, column: &str, who: Who) -> String {
        literal(self.surface, self.relation, column, who)
    }

    fn columns(&self) -> impl Iterator<Item = &str> {
        self.relation.columns.iter().map(|column| column.name.as_str())
    }

    fn list(&self) -> String {
        self.columns().collect::<Vec<_>>().join(", ")
    }

    fn by_key(&self, who: Who) -> String {
        let key = if self.relation.key.is_empty() {
            self.columns().map(str::to_owned).take(1).collect()
        } else {
            self.relation.key.clone()
        };
        key.iter().map(|column| format!("{column} = {}", self.value(column, who))).collect::<Vec<_>>().join(" and ")
    }

    /// The victim's rows, and whatever is not ours.
    fn theirs(&self) -> Vec<String> {
        let mut conditions = vec![self.by_key(Who::Victim), format!("not ({})", self.by_key(Who::Own))];
        if self.relation.has("workspace_id") {
            let victim = self.value("workspace_id", Who::Victim);
            conditions.push(format!("workspace_id = {victim}"));
            conditions.push(format!("workspace_id <> '{OWN}'"));
            conditions.push(format!("workspace_id = any(array[{victim}]::uuid[])"));
            conditions.push(format!("workspace_id::text = {victim}"));
            conditions.push("workspace_id is distinct from public.app_workspace()".to_owned());
        }
        conditions
    }
}

/// All attempts on a relation by a role. `outside`, what the role is granted is left out; of what it owns, what owners may do.
pub fn on(surface: &Surface, relation: &Relation, role: &str, owner: bool) -> Vec<Attempt> {
    let target = Target { surface, relation, name: &relation.name };
    if relation.kind == Kind::Toast {
        return reads::toast(&target);
    }
    let mut all = reads::all(&target);
    if !relation.columns.is_empty() {
        all.extend(writes::all(&target));
    }
    // Who is granted nothing is refused before a column is looked at: the whole is tried, not each.
    if relation.grant(role).is_some() {
        all.extend(columns::reads(&target));
        all.extend(columns::writes(&target));
    }
    // What it may not fill as a whole is tried with what it may.
    if let Some(narrow) = relation.narrowed_for(role) {
        let target = Target { surface, relation: &narrow, name: &relation.name };
        let some = writes::all(&target).into_iter().chain(columns::writes(&target));
        all.extend(some.filter(|attempt| attempt.needs == Right::Insert));
    }
    all.extend(definitions::all(&target));
    let grant = relation.grant(role).filter(|_| relation.outside);
    all.retain(|attempt| match attempt.needs {
        Right::Own => !owner,
        Right::Select => grant.is_none_or(|g| g.select.is_empty()),
        Right::Insert => grant.is_none_or(|g| g.insert.is_empty()),
        Right::Update => grant.is_none_or(|g| g.update.is_empty()),
        Right::Delete => grant.is_none_or(|g| !g.delete),
    });
    all
}
