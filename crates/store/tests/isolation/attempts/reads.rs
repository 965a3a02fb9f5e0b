//! Reading a relation as a whole, by every way that SQL has.

use super::{Attempt, Manner, Right, Target};
use crate::surface::Kind;
use crate::values::{NOBODY, Who};

pub fn all(target: &Target<'_>) -> Vec<Attempt> {
    let r = target.name;
    if target.relation.kind == Kind::Sequence {
        let sequence = [
            format!("select last_value from {r}"),
            format!("select nextval('{r}')"),
            format!("select setval('{r}', 9)"),
        ];
        return sequence.into_iter().map(|sql| Attempt::new(Right::Select, sql)).collect();
    }
    let mut all: Vec<String> = vec![
        format!("select * from {r}"),
        format!("select count(*) from {r}"),
        format!("table {r}"),
        format!("select * from only {r}"),
        format!("select t from {r} t"),
        format!("select t::text from {r} t order by 1 desc"),
        format!("select row_to_json(t) from {r} t"),
        format!("select (t).* from {r} t"),
        format!("select * from {r} limit 1 offset 1"),
        format!("select exists (select from {r} offset 1)"),
        format!("select ctid, tableoid::regclass from {r}"),
        format!("select tableoid::regclass, count(*) from {r} group by 1 order by 1"),
        format!("with w as materialized (select * from {r}) select * from w"),
        format!("select * from {r} union all select * from {r}"),
        format!("select * from {r} intersect select * from {r}"),
        format!("select a.* from {r} a cross join {r} b"),
        format!("select l.* from (values (1)) v (n) left join lateral (select * from {r}) l on true"),
        format!("select count(*) over (), t.* from {r} t"),
        format!("select array_agg(t) from {r} t"),
        format!("select * from query_to_xml('select * from {r}', true, false, '')"),
        format!("select * from table_to_xml('{r}', true, false, '')"),
        format!("do $$ begin if (select count(*) from {r}) > 1 then raise exception 'more than one'; end if; end $$"),
        format!(
            "do $$ declare t record; begin for t in select * from {r} loop raise exception 'saw %', t; end loop; end $$"
        ),
        format!("declare c cursor for select * from {r}; fetch all from c"),
        format!("deallocate all; prepare p as select * from {r}; execute p; execute p"),
        format!(
            "deallocate all; set local plan_cache_mode = force_generic_plan; prepare p as select * from {r}; execute p;
             select set_config('app.workspace_id', '{NOBODY}', true); execute p"
        ),
        format!(
            "declare c cursor for select * from {r}; select set_config('app.workspace_id', '', true); fetch all from c"
        ),
        format!("declare c scroll cursor with hold for select * from {r}; fetch last from c"),
        format!("set local row_security = off; select * from {r}"),
        format!("set local enable_seqscan = off; set local enable_indexscan = off; select * from {r}"),
        format!("set local force_parallel_mode = on; select count(*) from {r}"),
        format!("set local plan_cache_mode = force_generic_plan; select * from {r}"),
    ];
    if target.relation.is_table() {
        all.push(format!("select * from {r} tablesample system (100)"));
        all.push(format!("select * from {r} tablesample bernoulli (100) repeatable (1)"));
        for place in 1..=2 {
            all.push(format!("select * from {r} where ctid = '(0,{place})'"));
        }
        for strength in ["update", "no key update", "share", "key share"] {
            for patience in ["", " skip locked", " nowait"] {
                all.push(format!("select * from {r} for {strength}{patience}"));
            }
        }
    }
    if !target.relation.columns.is_empty() {
        for theirs in target.theirs() {
            all.push(format!("select * from {r} where {theirs}"));
            all.push(format!("select count(*) from {r} where {theirs}"));
            all.push(format!("select * from {r} where {theirs} or true"));
            all.push(format!("select exists (select from {r} where {theirs})"));
            // Evaluated before the policy, it would fail on the victim's row.
            all.push(format!("select count(*) from {r} where 1 / (case when {theirs} then 0 else 1 end) = 1"));
        }
        let victim = target.by_key(Who::Victim);
        all.push(format!("select case when exists (select from {r} where {victim}) then 1 / 0 end"));
        all.push(format!("select * from {r} where {victim} for update"));
    }
    let mut attempts: Vec<Attempt> = all.into_iter().map(|sql| Attempt::new(Right::Select, sql)).collect();
    let plans = [format!("select * from {r}"), format!("select count(*) from {r}")];
    for sql in plans.into_iter().chain(target.theirs().iter().map(|t| format!("select * from {r} where {t}"))) {
        let sql = format!("explain (analyze, costs off, timing off, summary off) {sql}");
        attempts.push(Attempt::new(Right::Select, sql).manner(Manner::Plan));
    }
    for sql in [format!("copy (select * from {r}) to stdout"), format!("copy {r} to stdout")] {
        attempts.push(Attempt::new(Right::Select, sql).manner(Manner::CopyOut));
    }
    let (schema, name) = r.split_once('.').unwrap_or(("public", r));
    let of = format!("where schemaname = '{schema}' and tablename = '{}'", name.trim_matches('"'));
    attempts.push(Attempt::new(Right::Select, format!("select * from pg_stats {of} order by attname")));
    attempts.push(Attempt::new(Right::Select, format!("select * from pg_stats_ext {of} order by statistics_name")));
    attempts
        .push(Attempt::new(Right::Select, format!("select * from pg_stats_ext_exprs {of} order by statistics_name")));
    let statistic =
        format!("select stavalues1::text, stavalues2::text from pg_statistic where starelid = '{r}'::regclass");
    attempts.push(Attempt::new(Right::Own, statistic).forbidden());
    attempts
        .push(Attempt::new(Right::Own, format!("select pg_read_binary_file(pg_relation_filepath('{r}'))")).forbidden());
    attempts
}

/// Where long values are kept, apart from their table and its policies.
pub fn toast(target: &Target<'_>) -> Vec<Attempt> {
    let r = target.name;
    let all = [
        format!("select * from {r}"),
        format!("select count(*) from {r}"),
        format!("select encode(chunk_data, 'escape') from {r} order by chunk_id, chunk_seq"),
        format!("delete from {r}"),
        format!("truncate {r}"),
    ];
    all.into_iter().map(|sql| Attempt::new(Right::Own, sql)).collect()
}
