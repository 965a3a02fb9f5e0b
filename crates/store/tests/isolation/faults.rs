//! Faults to plant: what somebody could get wrong in a migration, each in a few words of SQL, run by a superuser in copies of
//! both worlds. `on` names what the attempts are made on afterwards.

pub struct Fault {
    pub what: &'static str,
    pub sql: &'static str,
    /// Relations, functions as `name()`, or `session`.
    pub on: &'static [&'static str],
}

pub const fn fault(what: &'static str, on: &'static [&'static str], sql: &'static str) -> Fault {
    Fault { what, sql, on }
}

pub const FAULTS: &[Fault] = &[
    // Policies and what they hang on.
    fault("row-level security disabled", &["public.assets"], "alter table public.assets disable row level security"),
    fault("FORCE removed", &["public.assets"], "alter table public.assets no force row level security"),
    fault("the boundary dropped", &["public.assets"], "drop policy tenant_boundary on public.assets"),
    fault("the boundary always true", &["public.assets"], "alter policy tenant_boundary on public.assets using (true) with check (true)"),
    fault("the boundary for one role", &["public.assets"], "alter policy tenant_boundary on public.assets to clarity_app"),
    fault("the boundary open without a workspace", &["public.sites"],
        "alter policy tenant_boundary on public.sites using (public.app_workspace() is null or workspace_id = (select public.app_workspace()));
         create policy loose on public.sites for select to clarity_worker using (public.app_workspace() is null)"),
    fault("the boundary made permissive", &["public.records"],
        "drop policy tenant_boundary on public.records;
         create policy tenant_boundary on public.records for all to public using (workspace_id = (select public.app_workspace()))"),
    fault("boundary and policy: reads of everything", &["public.dead_letters"],
        "drop policy tenant_boundary on public.dead_letters; create policy loose on public.dead_letters for select to clarity_app using (true)"),
    fault("boundary and policy: writes for anybody", &["public.audit_entries"],
        "drop policy tenant_boundary on public.audit_entries; create policy loose on public.audit_entries for insert to clarity_ingest with check (true)"),
    fault("a careless policy beside the boundary", &["public.assets"], "create policy loose on public.assets for select to clarity_app using (true)"),
    fault("a policy that is true in a second half", &["public.assets"],
        "alter policy member_reads on public.assets using (workspace_id = (select public.app_workspace()) or true)"),
    fault("a policy for everybody", &["public.metrics"],
        "create policy loose on public.metrics to public using (workspace_id = (select public.app_workspace()))"),
    fault("ranks forgotten", &["public.sites"],
        "alter policy member_removes on public.sites using (workspace_id = (select public.app_workspace()))"),
    fault("support let in without a grant", &["public.sources"],
        "alter policy support_reads on public.sources using (workspace_id = (select public.app_workspace()))"),
    fault("a grant that never ends", &["public.sources"],
        "create or replace function public.ops_grant_live() returns boolean language sql stable security definer set search_path = pg_catalog, public
           as $$ select exists (select from support_grants g where g.workspace_id = app_workspace() and g.ops_user_id = app_ops_user()
                 and g.decision = 'approved') $$"),
    fault("anybody's grant lets all of ours in", &["public.sources"],
        "create or replace function public.ops_grant_live() returns boolean language sql stable security definer set search_path = pg_catalog, public
           as $$ select exists (select from support_grants g where g.workspace_id = app_workspace()
                 and g.decision = 'approved' and g.ended_at is null and g.ends_at > clock_timestamp()) $$"),
    fault("limited members see every machine", &["public.assets"], "drop policy member_sites on public.assets"),
    fault("limited members see what every machine measures", &["public.latest_samples"],
        "create or replace function public.app_machines() returns setof int
           language plpgsql stable parallel safe security definer set search_path = pg_catalog, public
           as $$ begin return query select a.number from assets a where a.workspace_id = app_workspace(); end $$"),
    fault("whoever names no site sees all", &["public.latest_samples", "public.dead_letters"],
        "create or replace function public.app_every_site() returns boolean language sql stable parallel safe
           as $$ select pg_catalog.current_setting('app.sites', true) operator(pg_catalog.<>) '' $$"),
    // Tables, partitions, columns.
    fault("a table without policies", &["public.loose"],
        "create table public.loose as select * from public.assets; alter table public.loose owner to clarity_owner; grant select on public.loose to clarity_app"),
    fault("a table without a workspace", &["public.loose"],
        "create table public.loose as select id, name from public.assets; alter table public.loose owner to clarity_owner;
         alter table public.loose enable row level security, force row level security;
         create policy loose on public.loose to clarity_app using (true); grant select on public.loose to clarity_app"),
    fault("a granted partition without its own security", &["public.sample_chunks_hot"],
        "alter table public.sample_chunks_hot disable row level security; grant select on public.sample_chunks_hot to clarity_app"),
    fault("a granted partition", &["public.sample_chunks_sealed"], "grant select on public.sample_chunks_sealed to clarity_app"),
    fault("a grant on all tables of the schema", &["public.sample_chunks_hot", "public.bronze_segments"],
        "grant select on all tables in schema public to clarity_app"),
    fault("a partition that inherits nothing", &["public.bronze_loose"],
        "create table public.bronze_loose partition of public.bronze_segments for values from ('1999-01-01') to ('1999-01-02')"),
    fault("a policy on a partition", &["public.sample_chunks_hot"],
        "create policy loose on public.sample_chunks_hot to clarity_worker using (true); grant select on public.sample_chunks_hot to clarity_worker"),
    fault("a tenant table put on the list", &["public.assets"],
        "insert into ops.tables_outside_workspaces values ('public.assets', 'convenient')"),
    fault("a workspace that may be null", &["public.assets"],
        "alter table public.assets drop constraint assets_pkey cascade; alter table public.assets alter column workspace_id drop not null"),
    fault("a workspace without its default", &["public.assets"], "alter table public.assets alter column workspace_id drop default"),
    // Keys.
    fault("a plain foreign key", &["public.assets", "public.sites"],
        "alter table public.sites add constraint sites_id unique (id); alter table public.assets drop constraint assets_workspace_id_site_id_fkey;
         alter table public.assets add constraint plain foreign key (site_id) references public.sites (id)"),
    fault("a plain foreign key that cascades", &["public.streams", "public.sources"],
        "alter table public.sources add constraint sources_id unique (id);
         alter table public.streams add constraint plain foreign key (source_id) references public.sources (id) on delete cascade"),
    fault("a unique index over all workspaces", &["public.assets"], "create unique index loose on public.assets (name)"),
    fault("a unique constraint over all workspaces", &["public.sites"], "alter table public.sites add unique (name)"),
    fault("a partial unique index over all workspaces", &["public.replays"],
        "create unique index loose on public.replays (fingerprint) where finished_at is null"),
    fault("an exclusion constraint over all workspaces", &["public.sites"],
        "alter table public.sites add constraint loose exclude using btree (name with =)"),
    fault("a check that looks at other workspaces", &["public.sites"],
        "create function public.name_is_free(wanted text) returns boolean language sql stable security definer set search_path = pg_catalog, public
           as 'select count(*) < 1 from public.sites where name = wanted';
         alter table public.sites add constraint loose check (public.name_is_free(name)) not valid;
         revoke execute on function public.name_is_free(text) from public;
         grant execute on function public.name_is_free(text) to clarity_app, clarity_worker"),
    // Grants.
    fault("TRUNCATE granted", &["public.dirty_marks"], "grant truncate on public.dirty_marks to clarity_worker"),
    fault("REFERENCES granted", &["public.assets"], "grant references on public.assets to clarity_app"),
    fault("TRIGGER granted", &["public.assets"], "grant trigger on public.assets to clarity_app"),
    fault("a grant to everybody", &["public.assets"], "grant select on public.assets to public"),
    fault("a grant that can be passed on", &["public.assets"], "grant select on public.assets to clarity_app with grant option"),
    fault("schema auth opened to the app", &["auth.users"],
        "grant usage on schema auth to clarity_app; grant select (id, name) on auth.users to clarity_app"),
    fault("heads opened to the app", &["ops.source_heads"], "grant select on ops.source_heads to clarity_app"),
    fault("payloads opened to ingest", &["public.bronze_segments"], "grant select (body) on public.bronze_segments to clarity_ingest"),
    fault("the audit log can be changed", &["public.audit_entries"], "grant update, delete on public.audit_entries to clarity_app"),
    fault("tables may be made in the schema", &["session"], "grant create on schema public to clarity_worker"),
    fault("temporary tables allowed", &["session", "public.assets"],
        "do $$ begin execute format('grant temporary on database %I to clarity_app', current_database()); end $$"),
    fault("the app owns a table", &["public.sites"], "alter table public.sites owner to clarity_app"),
    // Views, functions, other objects.
    fault("a view with its owner's rights, a superuser's", &["public.loose"],
        "create view public.loose as select * from public.assets; grant select on public.loose to clarity_app"),
    fault("a view with its owner's rights", &["public.loose"],
        "create view public.loose as select * from public.assets; alter view public.loose owner to clarity_owner; grant select on public.loose to clarity_app"),
    fault("a materialized view", &["public.loose"],
        "create materialized view public.loose as select workspace_id, count(*) as n from public.assets group by 1;
         alter materialized view public.loose owner to clarity_owner; grant select on public.loose to clarity_worker"),
    fault("a function of a superuser", &["public.loose()"],
        "create function public.loose(wanted uuid) returns setof public.assets language sql stable security definer set search_path = pg_catalog, public
           as 'select * from public.assets where workspace_id = wanted';
         revoke execute on function public.loose(uuid) from public; grant execute on function public.loose(uuid) to clarity_app"),
    fault("a function without a pinned search path", &["public.loose()"],
        "create function public.loose() returns bigint language sql security definer as 'select count(*) from public.assets';
         alter function public.loose() owner to clarity_owner; revoke execute on function public.loose() from public"),
    fault("a leakproof function", &["public.assets"],
        "create function public.loose(text) returns boolean language plpgsql leakproof cost 0.0001 as 'begin return true; end';
         revoke execute on function public.loose(text) from public"),
    fault("a trigger that copies rows out of reach", &["public.sites"],
        "create function public.loose() returns trigger language plpgsql security definer set search_path = pg_catalog, public
           as 'begin perform set_config(''app.workspace_id'', ''bbbbbbbb-bbbb-7bbb-8bbb-bbbbbbbbbbbb'', true); return new; end';
         alter function public.loose() owner to clarity_owner; revoke execute on function public.loose() from public;
         create trigger loose after update on public.sites for each row execute function public.loose()"),
    fault("a rule that writes for others", &["public.sites"],
        "create rule loose as on update to public.sites do also delete from ops.source_heads"),
    fault("a sequence that all workspaces share", &["public.loose"],
        "create sequence public.loose; alter sequence public.loose owner to clarity_owner; grant usage on sequence public.loose to clarity_app"),
    fault("extended statistics", &["public.assets"],
        "create statistics public.loose on workspace_id, name from public.assets; analyze public.assets"),
    fault("rights on whatever will be made", &["session"],
        "alter default privileges for role clarity_owner grant select on tables to clarity_app"),
    fault("an index on an expression, with its statistics", &["session"],
        "create index loose on public.assets (workspace_id, lower(name)); analyze public.assets"),
    fault("a publication", &["public.assets"], "create publication loose for table public.assets"),
    // What no rule of the catalogue can know: told by attempts alone.
    fault("the victim's workspace where none is set", &["public.assets", "public.sites"],
        "create or replace function public.app_workspace() returns uuid language sql stable parallel safe
           as $$ select coalesce(nullif(pg_catalog.current_setting('app.workspace_id', true), ''), 'bbbbbbbb-bbbb-7bbb-8bbb-bbbbbbbbbbbb')::pg_catalog.uuid $$"),
    fault("the victim's workspace where it is malformed", &["public.assets"],
        "create or replace function public.app_workspace() returns uuid language plpgsql stable
           as $$ begin return nullif(current_setting('app.workspace_id', true), '')::uuid;
                 exception when others then return 'bbbbbbbb-bbbb-7bbb-8bbb-bbbbbbbbbbbb'; end $$"),
    fault("a role that begins in the victim's workspace", &["public.assets"],
        "do $$ begin execute format('alter role clarity_worker in database %I set app.workspace_id = %L', current_database(),
           'bbbbbbbb-bbbb-7bbb-8bbb-bbbbbbbbbbbb'); end $$"),
    fault("everybody has the highest rank", &["public.sites"],
        "create or replace function public.app_rank() returns int language sql stable parallel safe as 'select 4'"),
    fault("a function that goes to the workspace it is told", &["public.loose()"],
        "create function public.loose(wanted uuid) returns setof public.assets language plpgsql
           as $$ begin perform set_config('app.workspace_id', wanted::text, true); return query select * from public.assets; end $$;
         alter function public.loose(uuid) owner to clarity_owner; revoke execute on function public.loose(uuid) from public;
         grant execute on function public.loose(uuid) to clarity_app"),
    fault("a job for a workspace that the caller names", &["ops.loose()"],
        "create function ops.loose(workspace uuid, wanted text) returns void language sql security definer set search_path = pg_catalog
           as $$ insert into ops.jobs (id, workspace_id, kind) values (gen_random_uuid(), workspace, wanted) $$;
         alter function ops.loose(uuid, text) owner to clarity_owner; revoke execute on function ops.loose(uuid, text) from public;
         grant execute on function ops.loose(uuid, text) to clarity_app"),
    fault("a function that reads past the door", &["ops.loose()"],
        "create function ops.loose(wanted text) returns text language sql security definer set search_path = pg_catalog
           as $$ select u.name from auth.users u where u.email = wanted $$;
         alter function ops.loose(text) owner to clarity_owner; revoke execute on function ops.loose(text) from public;
         grant execute on function ops.loose(text) to clarity_app"),
    fault("a function that counts everybody", &["ops.loose()"],
        "create function ops.loose() returns bigint language sql security definer set search_path = pg_catalog as 'select count(*) from auth.workspaces';
         alter function ops.loose() owner to clarity_owner; revoke execute on function ops.loose() from public;
         grant execute on function ops.loose() to clarity_app"),
    fault("a session that opens every workspace", &["auth.resolve_session()"],
        "create or replace function auth.resolve_session(session_hash bytea, workspace_slug text)
           returns table (user_id uuid, workspace_id uuid, slug text, workspace_name text, time_zone text, role text,
                          second_factor_required boolean, second_factor boolean, confirmed_at timestamptz,
                          sso_required boolean, break_glass boolean, by_sso boolean)
           language sql stable security definer set search_path = pg_catalog, auth
           as $$ select s.user_id, w.id, w.slug, w.name, w.time_zone, 'viewer', false, false, null::timestamptz, false, false, false from auth.sessions s cross join auth.workspaces w
                 where s.token_hash = session_hash and w.slug = workspace_slug $$"),
    fault("a seat without a session", &["auth.resolve_session()"],
        "create or replace function auth.resolve_session(session_hash bytea, workspace_slug text)
           returns table (user_id uuid, workspace_id uuid, slug text, workspace_name text, time_zone text, role text,
                          second_factor_required boolean, second_factor boolean, confirmed_at timestamptz,
                          sso_required boolean, break_glass boolean, by_sso boolean)
           language sql stable security definer set search_path = pg_catalog, auth
           as $$ select m.user_id, w.id, w.slug, w.name, w.time_zone, m.role, false, false, null::timestamptz, false, false, false from auth.workspaces w
                 join auth.memberships m on m.workspace_id = w.id where w.slug = workspace_slug $$"),
];

/// Of the cluster, not of a database: planted in a transaction that nobody else sees, and read by the catalogue's rules in it.
pub const OF_THE_CLUSTER: &[(&str, &str)] = &[
    ("a role past all policies", "alter role clarity_app bypassrls"),
    ("a superuser", "alter role clarity_worker superuser"),
    ("a role that reads the log of all workspaces", "alter role clarity_system replication"),
    ("a role that makes roles", "alter role clarity_auth createrole"),
    ("a role in another", "grant clarity_worker to clarity_app"),
    ("a role that reads everything", "grant pg_read_all_data to clarity_ops"),
];
