//! Writing a victim's row, giving it one, taking one, or learning of one by a conflict.

use super::{Attempt, Manner, Right, Target};
use crate::values::{OWN, VICTIM, Who, row};

pub fn all(target: &Target<'_>) -> Vec<Attempt> {
    let mut all = inserts(target);
    all.extend(updates(target));
    all.extend(deletes(target));
    all.extend(merges(target));
    all
}

fn inserts(target: &Target<'_>) -> Vec<Attempt> {
    let (r, list) = (target.name, target.list());
    let values = |who| row(target.surface, target.relation, who, None);
    let (own, victim, new) = (values(Who::Own), values(Who::Victim), values(Who::New));
    // Our row with the victim's keys, and the victim's workspace with our keys.
    let ours_with_their_keys = victim.replacen(&format!("'{VICTIM}'"), &format!("'{OWN}'"), 1);
    let theirs_with_new_keys = new.replacen(&format!("'{OWN}'"), &format!("'{VICTIM}'"), 1);
    let first = target.columns().next().unwrap_or_default().to_owned();
    let keys = target.relation.key.join(", ");
    let mut all = Vec::new();
    for row in [&own, &victim, &ours_with_their_keys, &theirs_with_new_keys] {
        let insert = format!("insert into {r} ({list}) values ({row})");
        let mut plain = |sql: String| all.push(Attempt::new(Right::Insert, sql));
        plain(insert.clone());
        plain(format!("{insert} on conflict do nothing"));
        plain(format!("{insert}, ({new}) on conflict do nothing"));
        plain(format!("with w as ({insert} on conflict do nothing returning 1) select count(*) from w"));
        plain(format!("insert into {r} ({list}) select {row}"));
        plain(format!("do $$ begin {insert}; exception when unique_violation then raise exception 'taken'; end $$"));
        if !keys.is_empty() {
            plain(format!("{insert} on conflict ({keys}) do nothing"));
            plain(format!("{insert} on conflict ({keys}) do update set {first} = excluded.{first}"));
            let told = format!(
                "{insert} on conflict ({keys}) do update set {first} = excluded.{first} returning {first}::text"
            );
            all.push(Attempt::new(Right::Insert, told).manner(Manner::Echoes));
        }
        all.push(Attempt::new(Right::Insert, format!("{insert} returning 1")));
    }
    all.push(Attempt::new(Right::Insert, format!("insert into {r} default values")));
    all.push(Attempt::new(Right::Insert, format!("insert into {r} select * from {r}")));
    if target.relation.has("workspace_id") {
        let nobody = new.replacen(&format!("'{OWN}'"), "null", 1);
        all.push(Attempt::new(Right::Insert, format!("insert into {r} ({list}) values ({nobody})")));
        let given = list.replacen("workspace_id", &format!("'{VICTIM}'::uuid"), 1);
        all.push(Attempt::new(Right::Insert, format!("insert into {r} ({list}) select {given} from {r}")));
    }
    let copy = format!("copy {r} ({list}) from stdin");
    all.push(Attempt::new(Right::Insert, copy).manner(Manner::CopyIn).forbidden());
    all
}

fn updates(target: &Target<'_>) -> Vec<Attempt> {
    let r = target.name;
    let mut all = Vec::new();
    if target.relation.has("workspace_id") {
        for (to, condition) in
            [(VICTIM, target.by_key(Who::Own)), (OWN, target.by_key(Who::Victim)), (VICTIM, "true".into())]
        {
            all.push(format!("update {r} set workspace_id = '{to}' where {condition}"));
            all.push(format!(
                "with w as (update {r} set workspace_id = '{to}' where {condition} returning 1) select count(*) from w"
            ));
        }
        all.push(format!("update {r} set workspace_id = null"));
        all.push(format!("update {r} set workspace_id = default where workspace_id <> '{OWN}'"));
    }
    for theirs in target.theirs() {
        let key = target
            .relation
            .key
            .first()
            .cloned()
            .or_else(|| target.columns().next().map(str::to_owned))
            .unwrap_or_default();
        all.push(format!("update {r} set {key} = {key} where {theirs}"));
        all.push(format!("update {r} set {key} = {key} where {theirs} returning *"));
    }
    all.into_iter().map(|sql| Attempt::new(Right::Update, sql)).collect()
}

fn deletes(target: &Target<'_>) -> Vec<Attempt> {
    let r = target.name;
    let mut all = vec![
        format!("delete from {r}"),
        format!("delete from only {r}"),
        format!("delete from {r} returning *"),
        format!("delete from {r} a using {r} b where a.ctid <> b.ctid"),
        format!("with w as (delete from {r} returning 1) select count(*) from w"),
        format!("delete from {r} where {}", target.by_key(Who::Own)),
    ];
    for theirs in target.theirs() {
        all.push(format!("delete from {r} where {theirs}"));
        all.push(format!("delete from {r} where {theirs} returning *"));
    }
    all.into_iter().map(|sql| Attempt::new(Right::Delete, sql)).collect()
}

fn merges(target: &Target<'_>) -> Vec<Attempt> {
    let (r, list) = (target.name, target.list());
    let Some(key) = target.relation.key.first().cloned().or_else(|| target.columns().next().map(str::to_owned)) else {
        return Vec::new();
    };
    let victim = row(target.surface, target.relation, Who::Victim, None);
    let using = format!("merge into {r} t using (values (1)) s (n) on {}", prefixed(&target.by_key(Who::Victim)));
    let everything = format!("merge into {r} t using (values (1)) s (n) on t.{key} is not null");
    [
        (Right::Insert, format!("{using} when not matched then insert ({list}) values ({victim})")),
        (Right::Update, format!("{using} when matched then update set {key} = t.{key}")),
        (Right::Update, format!("{everything} when matched then update set {key} = t.{key}")),
        (Right::Delete, format!("{using} when matched then delete")),
        (Right::Delete, format!("{everything} when matched then delete")),
    ]
    .into_iter()
    .map(|(right, sql)| Attempt::new(right, sql))
    .collect()
}

/// The condition with its columns named as the target's.
fn prefixed(condition: &str) -> String {
    condition.split(" and ").map(|part| format!("t.{part}")).collect::<Vec<_>>().join(" and ")
}
