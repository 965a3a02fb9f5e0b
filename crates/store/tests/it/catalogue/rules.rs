//! What each login role may touch, as the table in `house.md` says.

/// A login role, the schemas whose tables it may be granted, and whether it may start replication.
pub struct RoleRule {
    pub name: &'static str,
    pub schemas: &'static [&'static str],
}

pub const ROLES: [RoleRule; 8] = [
    RoleRule { name: "clarity_auth", schemas: &["auth"] },
    RoleRule { name: "clarity_app", schemas: &["public"] },
    RoleRule { name: "clarity_ingest", schemas: &["public", "ops"] },
    RoleRule { name: "clarity_worker", schemas: &["public", "ops"] },
    RoleRule { name: "clarity_system", schemas: &["ops"] },
    RoleRule { name: "clarity_global", schemas: &["global"] },
    RoleRule { name: "clarity_ops", schemas: &["ops", "global", "public"] },
    RoleRule { name: "clarity_backup", schemas: &[] },
];

/// Privileges that policies do not hold back.
pub const BEYOND_POLICIES: [&str; 3] = ["TRUNCATE", "REFERENCES", "TRIGGER"];

/// Columns of bronze that ingest may read: keys, never a payload.
pub const INGEST_READS_OF_BRONZE: [&str; 5] = ["workspace_id", "source_id", "epoch", "first_seq", "received_on"];

/// Columns of the audit log that only its trigger writes.
pub const AUDIT_OF_THE_CHAIN: [&str; 4] = ["seq", "at", "previous_hash", "hash"];

/// As Postgres writes the one condition that every policy has.
pub const SAME_WORKSPACE: &str = "(workspace_id = ( SELECT app_workspace() AS app_workspace))";

/// Whether a condition is that one, alone or with a least rank, or one of support's.
pub fn compares_the_workspace(condition: &str) -> bool {
    let ranked = format!("({SAME_WORKSPACE} AND (( SELECT app_rank() AS app_rank) >= ");
    let rank = condition.strip_prefix(&ranked).and_then(|rest| rest.strip_suffix("))"));
    condition == SAME_WORKSPACE || rank.is_some_and(|rank| rank.parse::<u8>().is_ok()) || asks_for_a_grant(condition)
}

/// Tables of which a member who is limited to sites sees nothing: their rows are no machine's that we know of.
const OF_EVERY_SITE: [&str; 4] = ["public.records", "public.record_extras", "public.dead_letters", "public.replays"];

/// Whether what members see of a table follows from the sites that they see: what is a site's or a machine's, and what is listed.
pub fn is_of_sites(table: &str, columns: &[&str]) -> bool {
    let named = ["site_id", "asset_number", "asset_numbers"].iter().any(|column| columns.contains(column));
    named || table == "public.sites" || OF_EVERY_SITE.contains(&table)
}

/// Whether a condition is the one of a table's sites, as Postgres writes it but for spaces and parentheses.
pub fn compares_the_sites(table: &str, condition: &str) -> bool {
    let bare: String = condition.chars().filter(|c| !c.is_whitespace() && !"()".contains(*c)).collect();
    let every = "SELECTapp_every_siteASapp_every_site";
    let seen = "FROMapp_machinesmnumber";
    let of_site = |column: &str| format!("{every}OR{column}=ANYSELECTapp_sitesASapp_sites::uuid[]");
    let of_machine = format!("{every}ORasset_numberINSELECTm.number{seen}");
    let expected = match table {
        "public.sites" => of_site("id"),
        "public.assets" => of_site("site_id"),
        "public.sample_chunks" => {
            format!("{of_machine}ORasset_numbers&&SELECTarray_aggm.numberASarray_agg{seen}")
        }
        table if OF_EVERY_SITE.contains(&table) => every.to_owned(),
        _ => of_machine,
    };
    bare == expected
}

/// Whether a condition lets support in with a live grant alone, or to its person's own requests.
pub fn asks_for_a_grant(condition: &str) -> bool {
    let with_grant = format!("({SAME_WORKSPACE} AND ( SELECT ops_grant_live() AS ops_grant_live))");
    let own = format!("({SAME_WORKSPACE} AND (ops_user_id = ( SELECT app_ops_user() AS app_ops_user)))");
    condition == with_grant || condition == own
}

/// Tenant tables of which support may read columns; and columns that it reads of none.
pub const SUPPORT_READS: [&str; 6] = [
    "public.agents",
    "public.sources",
    "public.source_cursors",
    "public.streams",
    "public.dead_letters",
    "public.support_grants",
];
pub const SUPPORT_NEVER_READS: [&str; 8] =
    ["payload", "body", "image", "schema", "position", "status", "hostname", "address"];

/// Whether support is granted no more than it may have: single columns to read.
pub fn support_may_have(table: &str, privilege: &str, column: Option<&str>) -> bool {
    privilege == "SELECT"
        && SUPPORT_READS.contains(&table)
        && column.is_some_and(|column| !SUPPORT_NEVER_READS.contains(&column))
}
