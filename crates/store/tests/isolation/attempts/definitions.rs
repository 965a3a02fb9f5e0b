//! Changing what the relation is, or taking a copy: an owner's rights, which no service has.

use super::{Attempt, Right, Target};

pub fn all(target: &Target<'_>) -> Vec<Attempt> {
    let r = target.name;
    let first = target.columns().next().unwrap_or("ctid").to_owned();
    let mut forbidden = vec![
        format!("truncate {r}"),
        format!("truncate only {r}"),
        format!("truncate {r} cascade"),
        format!("truncate {r} restart identity cascade"),
        format!("alter table {r} disable row level security"),
        format!("alter table {r} no force row level security"),
        format!("alter table {r} owner to current_user"),
        format!("alter table {r} add column loose text"),
        format!("alter table {r} alter column {first} drop not null"),
        format!("alter table {r} rename to loose"),
        format!("alter table {r} set schema pg_temp"),
        format!("alter table {r} disable trigger all"),
        format!("alter table {r} replica identity full"),
        format!("alter table {r} set (fillfactor = 90)"),
        format!("drop table {r}"),
        format!("drop table {r} cascade"),
        format!("create policy loose on {r} using (true)"),
        format!("drop policy tenant_boundary on {r}"),
        format!("alter policy tenant_boundary on {r} using (true)"),
        format!("create index on {r} ({first})"),
        format!("create unique index on {r} ({first})"),
        format!("create rule loose as on select to {r} do instead select 1"),
        format!("create rule loose as on insert to {r} do also notify loose"),
        format!(
            "create trigger loose before insert on {r} for each row execute function suppress_redundant_updates_trigger()"
        ),
        format!("create statistics loose on ctid, {first} from {r}"),
        format!("create publication loose for table {r}"),
        format!("comment on table {r} is 'loose'"),
        format!("cluster {r}"),
        format!("reindex table {r}"),
        format!("select pg_truncate_visibility_map('{r}')"),
        format!("create table public.loose as select * from {r}"),
        format!("create table public.loose (like {r} including all)"),
        format!("create table public.loose () inherits ({r})"),
        format!("create table public.loose (n uuid references {r})"),
        format!("create temporary table loose as select * from {r}"),
        format!("create temporary table loose (like {r} including all)"),
        format!("create view public.loose as select * from {r}"),
        format!("create temporary view loose as select * from {r}"),
        format!("create materialized view public.loose as select * from {r}"),
        format!(
            "create function pg_temp.probe(anyelement) returns boolean language plpgsql cost 0.0000001 as 'begin raise notice ''%'', $1; return true; end'; select * from {r} t where pg_temp.probe(t.{first})"
        ),
        format!(
            "create function public.probe(anyelement) returns boolean language plpgsql cost 0.0000001 as 'begin raise notice ''%'', $1; return true; end'; select * from {r} t where public.probe(t.{first})"
        ),
        format!("copy {r} to '/tmp/loose'"),
        format!("copy {r} to program 'cat'"),
        format!("copy {r} from '/etc/hostname'"),
        format!("copy {r} from program 'echo'"),
    ];
    forbidden.push(format!("update pg_catalog.pg_class set relrowsecurity = false where oid = '{r}'::regclass"));
    forbidden.push(format!("delete from pg_catalog.pg_policy where polrelid = '{r}'::regclass"));
    let mut all: Vec<Attempt> = forbidden.into_iter().map(|sql| Attempt::new(Right::Own, sql).forbidden()).collect();
    // To lock what one may use is no leak; that it is refused where it would wait for the victim would be a difference.
    for mode in [
        "access share",
        "row share",
        "row exclusive",
        "share update exclusive",
        "share",
        "share row exclusive",
        "exclusive",
        "access exclusive",
    ] {
        all.push(Attempt::new(Right::Own, format!("lock table {r} in {mode} mode nowait")));
    }
    // Without the right to pass rights on it does nothing, with a warning.
    all.push(Attempt::new(Right::Own, format!("grant select on {r} to public")));
    all.push(Attempt::new(Right::Own, format!("analyze {r}")));
    all
}
