//! Guarded: what `pg_catalog` says after migrating. A new table, view, function or grant cannot forget the rules of
//! tenancy, because [`check::check`] looks at all of them; and the tests below show that it finds each kind of fault.

mod check;
mod frozen;
mod objects;
mod rules;

use check::check;
use clarity_testkit::TestDb;
use clarity_testkit::cluster::connect;

#[tokio::test]
async fn the_migrated_database_keeps_every_rule() {
    let db = TestDb::new().await;
    let findings = check(&db.admin().await).await;
    assert!(findings.is_empty(), "{}", findings.join("\n"));
}

#[tokio::test]
async fn nothing_is_in_the_catalogue_that_nobody_has_read() {
    let db = TestDb::new().await;
    let admin = db.admin().await;
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/catalogue/surface.txt");
        let text: String = frozen::lines(&admin).await.into_iter().map(|line| line + "\n").collect();
        std::fs::write(file, text).expect("written");
        return;
    }
    let differences = frozen::differences(&admin).await;
    assert!(
        differences.is_empty(),
        "The catalogue is not what surface.txt says. Read each line: may it be so? Then run this test with UPDATE_GOLDEN=1.\n{}",
        differences.join("\n")
    );
}

/// Breaks one rule in a database of its own, and expects to read of it.
async fn finds(fault: &str, words: &str) {
    let db = TestDb::new().await;
    let owner = connect(&db.url("clarity_owner")).await.expect("the owner connects");
    owner.batch_execute(fault).await.unwrap_or_else(|e| panic!("the fault could not be planted: {e:?}\n{fault}"));
    let findings = check(&db.admin().await).await;
    assert!(findings.iter().any(|f| f.contains(words)), "nothing about {words:?} after\n{fault}\nbut {findings:#?}");
}

macro_rules! faults {
    ($($name:ident: $sql:expr => $words:expr;)*) => {$(
        #[tokio::test]
        async fn $name() {
            finds($sql, $words).await;
        }
    )*};
}

faults! {
    finds_a_table_without_policies:
        "create table public.loose (workspace_id uuid not null default app_workspace(), id uuid, primary key (workspace_id, id))"
        => "public.loose: row-level security is not enabled and forced";
    finds_a_table_without_a_workspace:
        "create table public.loose (id uuid primary key); alter table public.loose enable row level security, force row level security"
        => "public.loose: has no workspace_id";
    finds_that_force_was_removed:
        "alter table public.assets no force row level security"
        => "public.assets: row-level security is not enabled and forced";
    finds_a_boundary_that_was_dropped:
        "drop policy tenant_boundary on public.assets"
        => "public.assets: 0 restrictive boundaries";
    finds_a_boundary_that_leaves_a_role_out:
        "alter policy tenant_boundary on public.assets to clarity_app"
        => "public.assets: the boundary is not for all roles";
    finds_a_boundary_that_is_always_true:
        "alter policy tenant_boundary on public.assets using (true)"
        => "public.assets: the boundary does not compare the workspace";
    finds_a_careless_policy:
        "create policy all_of_it on public.assets for select to clarity_app using (true)"
        => "public.assets: policy all_of_it does not compare the workspace";
    finds_a_policy_for_everybody:
        "create policy all_of_it on public.assets for select to public using (workspace_id = (select app_workspace()))"
        => "public.assets: policy all_of_it is for everybody";
    finds_that_limited_members_see_every_machine:
        "drop policy member_sites on public.assets" => "public.assets: members who are limited to sites see all of it";
    finds_a_table_of_machines_that_forgot_the_sites:
        "create table public.loose (workspace_id uuid not null default app_workspace(), asset_number int, primary key (workspace_id, asset_number));
         select protect('public.loose', 3); grant select on public.loose to clarity_app"
        => "public.loose: members who are limited to sites see all of it";
    finds_a_policy_of_sites_that_is_true_in_a_second_half:
        "alter policy member_sites on public.rollups using ((select app_every_site()) or true)"
        => "public.rollups: the policy of sites does not compare the sites";
    finds_a_policy_of_sites_for_reads_alone:
        "drop policy member_sites on public.assets;
         create policy member_sites on public.assets as restrictive for select to clarity_app
           using ((select app_every_site()) or site_id = any ((select app_sites())::uuid[]))"
        => "public.assets: the policy of sites is not for all that members do";
    finds_a_plain_foreign_key:
        "alter table public.sources add constraint sources_id unique (id);
         alter table public.assets add column source_id uuid constraint plain_fk references public.sources (id)"
        => "public.assets: foreign key plain_fk does not carry workspace_id";
    finds_a_unique_key_across_workspaces:
        "create unique index assets_by_name on public.assets (name)"
        => "public.assets: unique index assets_by_name does not begin with workspace_id";
    finds_a_workspace_that_may_be_null:
        "create table public.loose (workspace_id uuid, id uuid primary key); select protect('public.loose', 3)"
        => "public.loose: workspace_id may be null";
    finds_a_granted_partition:
        "do $$ begin execute (select format('grant select on public.%I to clarity_app', relname)
           from pg_class where relispartition and relkind = 'r' limit 1); end $$"
        => "is a partition, and granted";
    finds_an_unprotected_partition:
        "create table public.bronze_extra partition of public.bronze_segments for values from ('1999-01-01') to ('1999-01-02')"
        => "public.bronze_extra: row-level security is not enabled and forced";
    finds_a_grant_to_everybody:
        "grant select on public.assets to public" => "public.assets: granted to everybody";
    finds_a_right_that_ignores_policies:
        "grant truncate on public.assets to clarity_worker" => "public.assets: TRUNCATE granted to clarity_worker";
    finds_a_right_that_can_be_passed_on:
        "grant select on public.assets to clarity_app with grant option" => "public.assets: clarity_app may pass on";
    finds_a_role_beyond_its_schemas:
        "grant select on auth.users to clarity_app" => "auth.users: SELECT granted to clarity_app";
    finds_that_support_can_read_payloads:
        "grant select (payload) on public.dead_letters to clarity_ops" => "public.dead_letters: SELECT granted to clarity_ops";
    finds_that_support_can_read_a_whole_table:
        "grant select on public.sources to clarity_ops" => "public.sources: SELECT granted to clarity_ops";
    finds_that_support_can_write:
        "grant update (paused) on public.sources to clarity_ops" => "public.sources: UPDATE granted to clarity_ops";
    finds_that_support_can_read_another_table:
        "grant select (name) on public.assets to clarity_ops" => "public.assets: SELECT granted to clarity_ops";
    finds_a_policy_that_lets_support_in_without_a_grant:
        "alter policy support_reads on public.sources using (workspace_id = (select app_workspace()))"
        => "public.sources: policy support_reads lets support in without a grant";
    finds_that_ingest_can_read_payloads:
        "grant select (body) on public.bronze_segments to clarity_ingest" => "clarity_ingest may read bronze_segments.body";
    finds_that_the_audit_log_can_be_changed:
        "grant update on public.audit_entries to clarity_app" => "public.audit_entries: UPDATE granted to clarity_app";
    finds_that_an_entry_can_be_put_at_any_place:
        "grant insert on public.audit_entries to clarity_app" => "public.audit_entries: INSERT granted to clarity_app";
    finds_that_an_entry_can_bring_its_hash:
        "grant insert (hash) on public.audit_entries to clarity_worker" => "public.audit_entries: INSERT granted to clarity_worker";
    finds_that_the_head_of_a_chain_can_be_set:
        "grant update on public.audit_heads to clarity_worker" => "public.audit_heads: UPDATE granted to clarity_worker";
    finds_that_entries_are_no_longer_chained:
        "alter table public.audit_entries disable trigger chain" => "public.audit_entries: no trigger chains its entries";
    finds_a_view_with_its_owners_rights:
        "create view public.v as select * from public.assets" => "public.v: is a view without security_invoker";
    finds_a_materialized_view:
        "create materialized view public.m as select 1 as one" => "public.m: is a materialized view";
    finds_a_definer_without_a_search_path:
        "create function public.f() returns int language sql security definer as 'select 1'"
        => "function public.f(): SECURITY DEFINER without a pinned search path";
    finds_a_function_for_everybody:
        "create function public.f() returns int language sql as 'select 1'; grant execute on function public.f() to public"
        => "function public.f(): everybody may execute it";
    finds_a_schema_where_services_may_create:
        "grant create on schema public to clarity_app" => "schema public: CREATE granted to clarity_app";
    finds_a_listed_table_that_is_gone:
        "insert into ops.tables_outside_workspaces values ('public.gone', 'it was here')"
        => "public.gone: is listed as outside of workspaces, and does not exist";
    finds_a_tenant_table_that_was_put_on_the_list:
        "insert into ops.tables_outside_workspaces values ('public.assets', 'convenient')"
        => "public.assets: is listed as outside of workspaces, and granted to clarity_app";
    finds_a_policy_that_is_true_in_a_second_half:
        "alter policy member_reads on public.assets using (workspace_id = (select app_workspace()) or true)"
        => "public.assets: policy member_reads does not compare the workspace";
    finds_an_exclusion_across_workspaces:
        "alter table public.sites add constraint loose exclude using btree (name with =)"
        => "public.sites: unique index loose does not begin with workspace_id";
    finds_a_sequence:
        "create sequence public.numbers" => "public.numbers: is a sequence";
    finds_a_trigger:
        "create trigger loose before update on public.sites for each row execute function suppress_redundant_updates_trigger()"
        => "public.sites: has the trigger loose";
    finds_a_rule:
        "create rule loose as on update to public.sites do also notify loose" => "public.sites: has the rule loose";
    finds_extended_statistics:
        "create statistics public.loose on workspace_id, name from public.assets" => "public.loose: is extended statistics";
    finds_statistics_of_an_expression:
        "create index loose on public.assets (workspace_id, lower(name))"
        => "public.loose: gathers statistics of its expression lower";
    finds_rights_on_what_will_be_made:
        "alter default privileges grant select on tables to clarity_app"
        => "default rights: SELECT granted to clarity_app";
    finds_that_temporary_tables_are_allowed:
        "do $$ begin execute format('grant temporary on database %I to clarity_app', current_database()); end $$"
        => "the database: TEMPORARY granted to clarity_app";
}
