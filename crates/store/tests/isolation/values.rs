//! What stands in each column of a row of ours, of the victim's, and of a row that is new: made from the column's type, its
//! CHECK and its foreign keys, so that both worlds, the seed and the attempts say the same without asking each other.
//!
//! Whatever is the victim's carries a mark that no outcome may show.

use super::surface::{Column, Relation, Surface};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Who {
    Own,
    Victim,
    /// A row of our workspace that does not exist yet.
    New,
}

pub const OWN: &str = "aaaaaaaa-aaaa-7aaa-8aaa-aaaaaaaaaaaa";
pub const VICTIM: &str = "bbbbbbbb-bbbb-7bbb-8bbb-bbbbbbbbbbbb";
/// One of our own people, whom owners of both workspaces let in.
pub const OPS_USER: &str = "dddddddd-dddd-7ddd-8ddd-dddddddddddd";
/// Another, whose grant in our workspace has ended.
pub const ENDED_USER: &str = "00000000-eeee-7eee-8eee-eeeeeeeeeeee";
pub const NOBODY: &str = "00000000-0000-0000-0000-000000000000";

/// What only the victim's rows hold: ids, texts, texts as bytes, times.
pub const MARKS: [&str; 4] = ["bbbbbbbb-bbbb", "zqca", "7a716361", "2027-07-07"];

/// Where type and CHECK are not enough: relation, column, and the value of ours, of the victim's, and of a new row.
/// `None` is null.
type Exception = (&'static str, &'static str, [Option<&'static str>; 3]);
const EXCEPTIONS: &[Exception] = &[
    ("auth.workspaces", "id", [Some(OWN), Some(VICTIM), Some("cccccccc-cccc-7ccc-8ccc-cccccccccccc")]),
    // Not a day old: those that are, retention's turn is told of across workspaces.
    ("auth.workspaces", "created_at", [Some("2999-01-01 00:00Z"); 3]),
    // A session, a key and a replay that are in use.
    ("auth.sessions", "last_seen_at", [Some("2999-01-01 00:00Z"); 3]),
    ("auth.sessions", "expires_at", [Some("2999-01-01 00:00Z"); 3]),
    ("auth.sessions", "revoked_at", [None; 3]),
    ("auth.agent_keys", "revoked_at", [None; 3]),
    // A session by password; the mark is for owners alone, and the victim is none.
    ("auth.sessions", "sso_workspace_id", [None; 3]),
    ("auth.memberships", "break_glass", [Some("false"); 3]),
    // A token that is live, of an account that was not removed.
    ("auth.api_tokens", "scopes", [Some("{read:assets}"); 3]),
    ("auth.api_tokens", "created_at", [Some("2999-01-01 00:00Z"); 3]),
    ("auth.api_tokens", "expires_at", [Some("2999-06-01 00:00Z"); 3]),
    ("auth.api_tokens", "revoked_at", [None; 3]),
    ("auth.service_accounts", "removed_at", [None; 3]),
    ("public.replays", "finished_at", [None; 3]),
    ("public.rewrites", "finished_at", [None; 3]),
    // Nobody's time has come: what is due is told across workspaces, and goes.
    ("auth.deletions", "due_at", [Some("2999-01-01 00:00Z"); 3]),
    ("auth.deletions", "begun_at", [None; 3]),
    ("auth.deleted_workspaces", "finished_at", [Some("2020-01-01 00:00Z"); 3]),
    ("public.agents", "revoked_at", [None; 3]),
    // Somebody of ours, and grants that are live: of the same person in both workspaces.
    (
        "auth.ops_users",
        "id",
        [Some(OPS_USER), Some("bbbbbbbb-bbbb-7bbb-8bbb-dddddddddddd"), Some("cccccccc-cccc-7ccc-8ccc-dddddddddddd")],
    ),
    ("auth.ops_users", "disabled_at", [None; 3]),
    // Before they asked.
    ("auth.ops_users", "enrolled_at", [Some("2020-01-01 00:00Z"); 3]),
    ("auth.ops_sessions", "last_seen_at", [Some("2999-01-01 00:00Z"); 3]),
    ("auth.ops_sessions", "expires_at", [Some("2999-01-01 00:00Z"); 3]),
    ("auth.ops_sessions", "revoked_at", [None; 3]),
    ("public.support_grants", "ops_user_id", [Some(OPS_USER); 3]),
    ("public.support_grants", "minutes", [Some("30"); 3]),
    ("public.support_grants", "decision", [Some("approved"); 3]),
    ("public.support_grants", "decided_at", [Some("2998-12-31 23:45Z"); 3]),
    ("public.support_grants", "ends_at", [Some("2999-01-01 00:00Z"); 3]),
    ("public.support_grants", "ended_at", [None; 3]),
    // The key: a new row is for another class.
    ("public.retention_policies", "data_class", [Some("audit"), Some("bronze"), Some("samples")]),
    ("public.set_up_steps", "step", [Some("place"), Some("site"), Some("source")]),
];

impl Who {
    fn pick<T>(self, own: T, victim: T, new: T) -> T {
        match self {
            Self::Own => own,
            Self::Victim => victim,
            Self::New => new,
        }
    }

    fn workspace(self) -> &'static str {
        self.pick(OWN, VICTIM, OWN)
    }
}

/// The value as an SQL literal, untyped.
pub fn literal(surface: &Surface, relation: &Relation, column: &str, who: Who) -> String {
    value(surface, relation, column, who)
        .map_or_else(|| "null".to_owned(), |text| format!("'{}'", text.replace('\'', "''")))
}

/// Literals of all columns but `replaced`, which gets the victim's.
pub fn row(surface: &Surface, relation: &Relation, who: Who, replaced: Option<&str>) -> String {
    let one = |column: &Column| {
        let of = if replaced == Some(column.name.as_str()) { Who::Victim } else { who };
        literal(surface, relation, &column.name, of)
    };
    relation.columns.iter().map(one).collect::<Vec<_>>().join(", ")
}

fn value(surface: &Surface, relation: &Relation, column: &str, who: Who) -> Option<String> {
    let exception = EXCEPTIONS.iter().find(|(of, name, _)| *of == relation.family && *name == column);
    if let Some((_, _, values)) = exception {
        return who.pick(values[0], values[1], values[2]).map(str::to_owned);
    }
    if let Some((split_by, text)) = &relation.bound
        && split_by == column
    {
        return Some(text.clone());
    }
    if column == "workspace_id" {
        return Some(who.workspace().to_owned());
    }
    for key in &relation.foreign {
        let pair = key.columns.iter().zip(&key.target_columns).find(|(here, _)| *here == column);
        if let Some((_, there)) = pair
            && let Some(target) = surface.relation(&key.target).filter(|target| target.name != relation.name)
        {
            // A new row belongs to rows that exist.
            return value(surface, target, there, who.pick(Who::Own, Who::Victim, Who::Own));
        }
    }
    let column = relation.columns.iter().find(|c| c.name == column)?;
    Some(plain(relation, column, who))
}

fn plain(relation: &Relation, column: &Column, who: Who) -> String {
    let check = column.check.as_deref().unwrap_or_default();
    if let Some(allowed) = allowed(check) {
        // The victim has another word than we where there is a choice.
        return who.pick(allowed.first(), allowed.last(), allowed.first()).cloned().unwrap_or_default();
    }
    if let Some(element) = column.kind.strip_suffix("[]") {
        return format!("{{\"{}\"}}", of_type(relation, column, element, who));
    }
    let text = of_type(relation, column, &column.kind, who);
    match exact_length(check) {
        Some(length) if column.kind == "text" => format!("{text:0<length$}")[..length].to_owned(),
        _ => text,
    }
}

fn of_type(relation: &Relation, column: &Column, kind: &str, who: Who) -> String {
    let (place, number) = (place(&relation.family), column.number);
    let word = format!("{}{place:x}x{number}", who.pick("own", "zqca", "new"));
    match kind {
        "uuid" => {
            let letter = who.pick('a', 'b', 'c');
            let group = |length| String::from(letter).repeat(length);
            format!("{}-{}-7{}-8{}-{place:08x}{number:04x}", group(8), group(4), group(3), group(3))
        }
        "integer" | "bigint" | "smallint" | "numeric" => {
            (i32::from(number) + who.pick(1_000, 30_000, 2_000)).to_string()
        }
        "double precision" | "real" => who.pick("1.5", "770000.25", "2.5").to_owned(),
        "boolean" => who.pick("false", "true", "false").to_owned(),
        "timestamp with time zone" => {
            format!("{}:{:02}Z", who.pick("2026-01-01 01:01", "2027-07-07 07:07", "2026-02-02 02:02"), number % 60)
        }
        "date" => who.pick("2026-01-01", "2027-07-07", "2026-02-02").to_owned(),
        "jsonb" | "json" => format!("{{\"{word}\": \"{word}\"}}"),
        "bytea" => {
            let bytes = format!("{word:.<32}");
            bytes.bytes().take(32).fold(String::from("\\x"), |hex, byte| hex + &format!("{byte:02x}"))
        }
        // What is no text fails to be seeded, and so is told.
        _ => word,
    }
}

/// The words of `… = ANY (ARRAY['a'::text, 'b'::text])` or `… (ARRAY[1, 2])`.
fn allowed(check: &str) -> Option<Vec<String>> {
    let (_, list) = check.split_once("ANY (ARRAY[")?;
    let (list, _) = list.split_once(']')?;
    Some(list.split(", ").map(|word| word.trim_end_matches("::text").trim_matches('\'').to_owned()).collect())
}

/// The n of `length(…) = n`.
fn exact_length(check: &str) -> Option<usize> {
    let (_, after) = check.split_once("length(")?;
    let (_, number) = after.split_once(") = ")?;
    number.trim_end_matches(')').parse().ok()
}

/// A small number that a name always has.
fn place(name: &str) -> u32 {
    name.bytes().fold(0x811c, |sum: u32, byte| (sum ^ u32::from(byte)).wrapping_mul(0x0100_0193)) & 0xffff
}

/// The first mark of the victim in a text.
pub fn marked(text: &str) -> Option<&'static str> {
    MARKS.into_iter().find(|mark| text.contains(mark))
}

/// As [`marked`], for a text that may repeat what the statement itself said.
pub fn marked_beyond(text: &str, statement: &str) -> Option<String> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == ':'));
    words.filter(|word| marked(word).is_some()).find(|word| !statement.contains(word)).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_conditions() {
        assert_eq!(allowed("CHECK ((grain = ANY (ARRAY[60, 3600])))"), Some(vec!["60".into(), "3600".into()]));
        assert_eq!(allowed("CHECK ((k = ANY (ARRAY['a'::text, 'b'::text])))"), Some(vec!["a".into(), "b".into()]));
        assert_eq!(exact_length("CHECK ((length(locator) = 4))"), Some(4));
        assert_eq!(exact_length("CHECK (((length(name) >= 1) AND (length(name) <= 80)))"), None);
    }

    #[test]
    fn a_repeated_word_is_no_leak() {
        let statement = "insert into t values ('bbbbbbbb-bbbb-7bbb-8bbb-000000010001')";
        assert_eq!(marked_beyond("Key (id)=(bbbbbbbb-bbbb-7bbb-8bbb-000000010001) is not there", statement), None);
        let other = "bbbbbbbb-bbbb-7bbb-8bbb-000000010002";
        assert_eq!(marked_beyond(&format!("Key (id)=({other})"), statement).as_deref(), Some(other));
        assert_eq!(marked("\\x7a71636131"), Some("7a716361"));
    }
}
