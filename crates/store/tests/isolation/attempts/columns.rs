//! One column at a time: reading it, asking whether a value of the victim's is in it, and writing such a value, which a key
//! that is not the workspace's own would tell apart from any other.

use super::{Attempt, Manner, Right, Target};
use crate::values::{Who, row};

pub fn reads(target: &Target<'_>) -> Vec<Attempt> {
    let r = target.name;
    let mut all = Vec::new();
    for column in &target.relation.columns {
        let (c, victim) = (&column.name, target.value(&column.name, Who::Victim));
        let mut read = |sql: String| all.push(Attempt::new(Right::Select, sql));
        read(format!("select {c} from {r}"));
        read(format!("select {c}::text from {r} order by 1 desc limit 1"));
        read(format!("select count({c}), count(distinct {c}::text) from {r}"));
        read(format!("select min({c}::text), max({c}::text) from {r}"));
        read(format!("select string_agg({c}::text, ',') from {r}"));
        read(format!("select {c}::text, count(*) from {r} group by 1 order by 1"));
        read(format!("select count(*) from {r} where {c}::text ~ 'zq|bbbb|7a71|2027'"));
        read(format!("select count(*) from {r} where {c} = {victim}"));
        read(format!("select count(*) from {r} where {c} in ({victim})"));
        read(format!("select count(*) from {r} where {c} is not distinct from {victim}"));
        // The error of a cast shows the value: it must never see the victim's.
        for theirs in target.theirs().into_iter().take(3) {
            read(format!("select count(*) from {r} where {theirs} and ('x' || {c}::text)::int > 0"));
        }
    }
    all
}

pub fn writes(target: &Target<'_>) -> Vec<Attempt> {
    let (r, list) = (target.name, target.list());
    let (own, theirs) = (target.by_key(Who::Own), target.theirs());
    let mut all = Vec::new();
    for column in &target.relation.columns {
        let c = &column.name;
        let (victim, ours) = (target.value(c, Who::Victim), target.value(c, Who::Own));
        // A new row of ours with one value of the victim's: foreign and unique keys as oracles.
        let new = row(target.surface, target.relation, Who::New, Some(c));
        all.push(Attempt::new(Right::Insert, format!("insert into {r} ({list}) values ({new})")));
        all.push(Attempt::new(
            Right::Insert,
            format!("insert into {r} ({list}) values ({new}) on conflict do nothing"),
        ));
        let back = format!("insert into {r} ({list}) values ({new}) returning {c}::text");
        all.push(Attempt::new(Right::Insert, back).manner(Manner::Echoes));
        let mut update = |sql: String| all.push(Attempt::new(Right::Update, sql));
        update(format!("update {r} set {c} = {victim}"));
        update(format!("update {r} set {c} = {victim} where {own}"));
        update(format!("update {r} set {c} = {c}"));
        update(format!("update only {r} set {c} = default"));
        for condition in &theirs {
            update(format!("update {r} set {c} = {ours} where {condition}"));
        }
        let before = format!("update {r} set {c} = {c} returning {c}::text");
        all.push(Attempt::new(Right::Update, before));
        let joined = format!("update {r} t set {c} = o.{c} from {r} o where not o.{c} is distinct from {victim}");
        all.push(Attempt::new(Right::Update, joined));
    }
    all
}
