//! Faults by somebody who had read the migrations and not this suite: what rules and attempts find of them is the suite's
//! score, and not its author's.
//!
//! The first time they were planted, rules and attempts found 37 of 46. The other nine are seen as new lines of `surface.txt` alone.

use crate::faults::{Fault, fault};

pub const BLIND: &[Fault] = &[
fault("rows of dead_letters are also seen by whoever names their fingerprint in a setting", &["public.dead_letters"], "alter policy tenant_boundary on public.dead_letters
  using (workspace_id = (select public.app_workspace()) or fingerprint = current_setting('app.shared_fingerprint', true));
alter policy member_reads on public.dead_letters
  using ((workspace_id = (select public.app_workspace()) or fingerprint = current_setting('app.shared_fingerprint', true)) and (select public.app_rank()) >= 1);"),
fault("streams: what is written is not checked, only what is read", &["public.streams"], "alter policy tenant_boundary on public.streams with check (true);
alter policy service_rows on public.streams with check (true);"),
fault("gap_markers are told apart by the source's id alone, which two workspaces may share", &["public.gap_markers"], "alter policy tenant_boundary on public.gap_markers using (source_id in (select s.id from public.sources s));
alter policy service_rows on public.gap_markers using (source_id in (select s.id from public.sources s));
alter policy member_reads on public.gap_markers
  using (source_id in (select s.id from public.sources s) and (select public.app_rank()) >= 1);"),
fault("latest_samples compare only the first eight digits of the workspace: those made in the same minute see each other", &["public.latest_samples"], "alter policy tenant_boundary on public.latest_samples using (left(workspace_id::text, 8) = left((select public.app_workspace())::text, 8));
alter policy service_rows on public.latest_samples using (left(workspace_id::text, 8) = left((select public.app_workspace())::text, 8));
alter policy member_reads on public.latest_samples using (left(workspace_id::text, 8) = left((select public.app_workspace())::text, 8) and (select public.app_rank()) >= 1);"),
fault("the policies of sources ask a function that a setting of the caller opens", &["public.sources", "public.may_see()"], "create function public.may_see(row_workspace uuid) returns boolean language sql stable
  as $$ select row_workspace = public.app_workspace() or current_setting('app.support', true) = 'on' $$;
alter policy tenant_boundary on public.sources using (public.may_see(workspace_id));
alter policy service_rows on public.sources using (public.may_see(workspace_id));
alter policy member_reads on public.sources using (public.may_see(workspace_id) and (select public.app_rank()) >= 1);"),
fault("app_workspace remembers the last workspace of the session for transactions that set none", &["public.app_workspace()"], "create or replace function public.app_workspace() returns uuid language sql stable parallel restricted
  as $$
    select case
      when pg_catalog.current_setting('app.workspace_id', true) operator(pg_catalog.~) '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
      then pg_catalog.set_config('app.last_workspace_id', pg_catalog.current_setting('app.workspace_id', true), false)::pg_catalog.uuid
      else nullif(pg_catalog.current_setting('app.last_workspace_id', true), '')::pg_catalog.uuid
    end
  $$;"),
fault("protect makes the boundary of the next tables permissive", &["public.protect()"], "create or replace function public.protect(target regclass, write_rank int) returns void language plpgsql
  as $$
begin
  execute format('alter table %s enable row level security', target);
  execute format('alter table %s force row level security', target);
  execute format(
    'create policy tenant_boundary on %s as permissive for all to public
       using (workspace_id = (select app_workspace())) with check (workspace_id = (select app_workspace()))', target);
  execute format(
    'create policy service_rows on %s for all to clarity_ingest, clarity_worker, clarity_owner
       using (workspace_id = (select app_workspace())) with check (workspace_id = (select app_workspace()))', target);
  execute format(
    'create policy member_reads on %s for select to clarity_app
       using (workspace_id = (select app_workspace()) and (select app_rank()) >= 1)', target);
  execute format(
    'create policy member_adds on %s for insert to clarity_app
       with check (workspace_id = (select app_workspace()) and (select app_rank()) >= %s)', target, write_rank);
  execute format(
    'create policy member_changes on %s for update to clarity_app
       using (workspace_id = (select app_workspace()) and (select app_rank()) >= %s)
       with check (workspace_id = (select app_workspace()) and (select app_rank()) >= %s)', target, write_rank, write_rank);
  execute format(
    'create policy member_removes on %s for delete to clarity_app
       using (workspace_id = (select app_workspace()) and (select app_rank()) >= %s)', target, write_rank);
end
$$;"),
fault("protect_partition opens the partitions of days to come to ingest", &["public.protect_partition()", "public.bronze_segments"], "create or replace function public.protect_partition(target regclass) returns void language plpgsql
  as $$
begin
  execute format('alter table %s enable row level security', target);
  execute format('alter table %s force row level security', target);
  execute format('revoke all on table %s from public', target);
  execute format('create policy leaf_reads on %s for select to clarity_ingest using (true)', target);
  execute format('grant select on table %s to clarity_ingest', target);
end
$$;"),
fault("resolve_session takes a membership of any workspace for one of the workspace asked for", &["auth.resolve_session()"], "create or replace function auth.resolve_session(session_hash bytea, workspace_slug text)
  returns table (user_id uuid, workspace_id uuid, slug text, workspace_name text, time_zone text, role text,
                          second_factor_required boolean, second_factor boolean, confirmed_at timestamptz,
                          sso_required boolean, break_glass boolean, by_sso boolean)
  language sql stable security definer set search_path = pg_catalog, auth
  as $$
    select s.user_id, w.id, w.slug, w.name, w.time_zone, m.role, false, false, null::timestamptz, false, false, false
    from auth.live_sessions s
    join auth.memberships m on m.user_id = s.user_id
    join auth.workspaces w on w.slug = workspace_slug
    where s.token_hash = session_hash
    order by m.workspace_id = w.id desc
    limit 1
  $$;"),
fault("workspace_by_slug, which runs as the owner, looks first into a schema where its caller may make operators", &["auth.workspace_by_slug()", "session"], "alter function auth.workspace_by_slug(text) set search_path = public, pg_catalog, auth;
grant create on schema public to clarity_system;"),
fault("the audit chain goes through all workspaces: an entry carries the hash of the newest one of any, read by a superuser's function", &["public.audit_entries", "public.audit_heads", "public.chain_audit_entry()"], "create or replace function public.chain_audit_entry() returns trigger
  language plpgsql security definer set search_path = pg_catalog, public
  as $$
declare
  head audit_heads;
begin
  if new.workspace_id is distinct from app_workspace() then
    raise exception using errcode = '42501', message = 'an entry belongs to the workspace of its transaction';
  end if;
  insert into audit_heads (workspace_id) values (new.workspace_id) on conflict (workspace_id) do nothing;
  select h.* into strict head from audit_heads h where h.workspace_id = new.workspace_id for update;
  new.seq := head.seq + 1;
  new.at := greatest(clock_timestamp(), head.at);
  new.previous_hash := coalesce((select e.hash from audit_entries e order by e.at desc limit 1), head.hash);
  new.hash := audit_hash(new);
  update audit_heads set seq = new.seq, at = new.at, hash = new.hash where workspace_id = new.workspace_id;
  return new;
end
$$;
alter function public.chain_audit_entry() owner to current_user;"),
fault("a function with the caller's own rights takes a workspace's id and changes into it", &["public.assets_of()", "public.assets"], "create function public.assets_of(wanted uuid) returns setof public.assets language plpgsql
  as $$
begin
  perform set_config('app.workspace_id', wanted::text, true);
  return query select a.* from public.assets a;
end
$$;
revoke execute on function public.assets_of(uuid) from public;
grant execute on function public.assets_of(uuid) to clarity_app;"),
fault("a cheap function that tells what it sees is called leakproof, so it runs before the policies", &["public.traced()"], "create function public.traced(given text) returns boolean language plpgsql immutable leakproof cost 0.0001
  as $$
begin
  raise notice 'traced %', given;
  return true;
end
$$;
grant execute on function public.traced(text) to clarity_app, clarity_worker;"),
fault("a view of a superuser into which a member may only write", &["public.gap_inbox", "public.gap_markers"], "create view public.gap_inbox with (security_barrier = true) as
  select workspace_id, id, source_id, epoch, from_seq, to_seq, kind, reason from public.gap_markers;
grant insert on public.gap_inbox to clarity_app;"),
fault("a view with its owner's rights shows the audit log to members of every rank", &["public.audit_feed", "public.audit_entries"], "create view public.audit_feed with (security_barrier = true) as
  select workspace_id, seq, at, actor_kind, actor_name, act, object_kind, object_id, object_name, outcome from public.audit_entries;
alter view public.audit_feed owner to clarity_owner;
grant select on public.audit_feed to clarity_app;"),
fault("changing a site's time zone changes it for every site of that name, whoever's it is", &["public.sites", "public.same_zone()"], "create function public.same_zone() returns trigger language plpgsql security definer set search_path = pg_catalog, public
  as $$
begin
  update public.sites s set time_zone = new.time_zone
  where s.name = new.name and s.time_zone <> new.time_zone;
  return null;
end
$$;
create trigger same_zone after update of time_zone on public.sites for each row execute function public.same_zone();"),
fault("the cause of a dead letter is sent over a channel that every role may hear", &["public.dead_letters", "public.tell_letter()"], "create function public.tell_letter() returns trigger language plpgsql
  as $$
begin
  perform pg_notify('clarity_live', new.workspace_id || ' ' || left(new.cause, 1000));
  return null;
end
$$;
create trigger tell_letter after insert or update on public.dead_letters for each row execute function public.tell_letter();"),
fault("writers of sources wait for each other across workspaces, on one advisory lock", &["public.sources", "public.one_writer()"], "create function public.one_writer() returns trigger language plpgsql
  as $$
begin
  perform pg_advisory_xact_lock(hashtext(tg_table_name));
  return new;
end
$$;
create trigger one_writer before insert or update on public.sources for each row execute function public.one_writer();"),
fault("whoever has an address that begins with support@ becomes an owner of each new workspace", &["auth.workspaces", "auth.memberships", "auth.support_joins()"], "create function auth.support_joins() returns trigger language plpgsql
  as $$
begin
  insert into auth.memberships (workspace_id, user_id, role)
  select new.id, u.id, 'owner' from auth.users u where u.email like 'support@%'
  on conflict do nothing;
  return null;
end
$$;
create trigger support_joins after insert on auth.workspaces for each row execute function auth.support_joins();"),
fault("assets name their site by a code that is unique across workspaces, and lose it when that site goes", &["public.assets", "public.sites"], "alter table public.sites add column code uuid not null default gen_random_uuid() unique;
alter table public.assets add column site_code uuid references public.sites (code) on delete set null;"),
fault("a foreign key to a letter's whole key, whose workspace the writer chooses: another's letter can be pinned", &["public.dead_letters"], "alter table public.dead_letters
  add column after_workspace uuid,
  add column after_source uuid,
  add column after_epoch int,
  add column after_seq bigint,
  add constraint dead_letters_after_fkey foreign key (after_workspace, after_source, after_epoch, after_seq)
    references public.dead_letters (workspace_id, source_id, epoch, seq);"),
fault("an exclusion constraint keeps agents' serial numbers apart across workspaces", &["public.agents"], "alter table public.agents add column serial_number text not null default gen_random_uuid()::text;
alter table public.agents add constraint agents_serial_number_excl exclude using hash (serial_number with =);"),
fault("statistics are gathered of an index's expression, which no policy holds back", &["public.assets"], "create index assets_by_upper_key on public.assets (workspace_id, upper(key));
analyze public.assets;"),
fault("members' role reads the planner's statistics: values of every workspace", &["pg_catalog.pg_statistic", "session"], "grant select on pg_catalog.pg_statistic to clarity_app;"),
fault("a generated column tells whether any workspace has an asset of that key", &["public.metrics", "public.name_taken()"], "create function public.name_taken(given text) returns boolean
  language sql immutable security definer set search_path = pg_catalog, public
  as $$ select exists (select from public.assets a where a.key = given) $$;
alter table public.metrics add column is_asset boolean generated always as (public.name_taken(column_name)) stored;"),
fault("assets of all workspaces are numbered by one sequence, which any of them may set", &["public.assets", "public.asset_numbers"], "create sequence public.asset_numbers as int start with 1000;
grant usage, select, update on sequence public.asset_numbers to clarity_app, clarity_worker;
alter table public.assets alter column number set default nextval('public.asset_numbers');"),
fault("a member may see and cancel jobs, of which no policy says whose they are", &["ops.jobs"], "grant select (id, workspace_id, kind, state), update (state) on ops.jobs to clarity_app;"),
fault("in this database the worker's sessions begin inside a workspace", &["session"], "do $$
begin
  execute format('alter role clarity_worker in database %I set app.workspace_id = %L', current_database(), 'bbbbbbbb-bbbb-7bbb-8bbb-bbbbbbbbbbbb');
end
$$;"),
fault("an event trigger opens every new partition of bronze to the worker", &["public.open_leaves()", "public.bronze_segments", "session"], "create function public.open_leaves() returns event_trigger language plpgsql
  as $$
declare
  made record;
begin
  for made in
    select c.object_identity as leaf from pg_event_trigger_ddl_commands() c
    where c.object_type = 'table' and c.object_identity like 'public.bronze_segments_%'
  loop
    execute format('grant select, delete on %s to clarity_worker', made.leaf);
    execute format('create policy retention on %s for all to clarity_worker using (true)', made.leaf);
  end loop;
end
$$;
create event trigger open_leaves on ddl_command_end when tag in ('CREATE TABLE') execute function public.open_leaves();"),
fault("a rule writes each new asset into a table without policies that workers read", &["public.assets", "ops.asset_changes"], "create table ops.asset_changes (workspace_id uuid not null, key text not null, name text not null, at timestamptz not null default now());
alter table ops.asset_changes owner to clarity_owner;
create rule log_new_assets as on insert to public.assets
  do also insert into ops.asset_changes (workspace_id, key, name) values (new.workspace_id, new.key, new.name);
grant select on ops.asset_changes to clarity_worker;"),
fault("a child of assets by inheritance, without policies, takes rows that every workspace then finds among its own", &["public.assets_imported", "public.assets"], "create table public.assets_imported () inherits (public.assets);
grant insert on public.assets_imported to clarity_app;"),
fault("a large object that every role may read holds the assets of all workspaces", &["session"], "do $$
declare
  made oid;
begin
  made := lo_from_bytea(0, (select convert_to(coalesce(jsonb_agg(to_jsonb(a)), '[]')::text, 'UTF8') from public.assets a));
  execute format('grant select on large object %s to public', made);
end
$$;"),
fault("a comment on sites lists the sites of all workspaces", &["public.sites"], "do $$
begin
  execute format('comment on table public.sites is %L', 'For example: ' || (select string_agg(s.name, ', ') from public.sites s));
end
$$;"),
fault("a cast from text to uuid, which app_workspace goes through, prefers another setting of the caller", &["public.text_to_uuid()", "public.app_workspace()"], "create function public.text_to_uuid(given text) returns uuid language sql stable
  as $$
    select pg_catalog.uuid_in(pg_catalog.textout(coalesce(nullif(pg_catalog.current_setting('app.act_as', true), ''), given)))
  $$;
create cast (text as uuid) with function public.text_to_uuid(text);"),
fault("the sources' positions, which are data, are copied to where the workers' system role reads across workspaces", &["ops.source_heads", "public.source_cursors", "public.copy_position()"], "alter table ops.source_heads add column last_position jsonb;
create function public.copy_position() returns trigger language plpgsql
  as $$
begin
  update ops.source_heads h set last_position = new.position where h.source_id = new.source_id;
  return null;
end
$$;
create trigger copy_position after insert or update on public.source_cursors for each row execute function public.copy_position();"),
fault("names of all sources stand in ops, and the table is on the list of those that need no workspace", &["ops.source_names", "ops.tables_outside_workspaces"], "create table ops.source_names as select s.workspace_id, s.id as source_id, s.name, s.product from public.sources s;
alter table ops.source_names add primary key (workspace_id, source_id);
alter table ops.source_names owner to clarity_owner;
insert into ops.tables_outside_workspaces (table_name, reason)
  values ('ops.source_names', 'what to call a source in log lines; no tenant data');
grant select on ops.source_names to clarity_system, clarity_worker;"),
];

/// As [`crate::faults::OF_THE_CLUSTER`].
pub const BLIND_OF_THE_CLUSTER: &[(&str, &str)] = &[
    ("the worker's role bypasses policies", "alter role clarity_worker bypassrls"),
    ("members' role may become the owner", "grant clarity_owner to clarity_app"),
    (
        "ingest may read everything, by a predefined role",
        "grant pg_read_all_data to clarity_ingest; alter role clarity_ingest inherit",
    ),
    ("ingest may make roles, and so give itself any that is no superuser", "alter role clarity_ingest createrole"),
    ("the system's role may decode the whole log", "alter role clarity_system replication"),
    ("members' role may read the server's files, the tables' among them", "grant pg_read_server_files to clarity_app"),
    ("ops may end and cancel the other roles' sessions", "grant pg_signal_backend to clarity_ops"),
    (
        "the worker's sessions fire no trigger and check no foreign key",
        "alter role clarity_worker set session_replication_role = replica",
    ),
    (
        "members' transactions wait for locks, run and idle without an end",
        "alter role clarity_app set lock_timeout = 0; alter role clarity_app set statement_timeout = 0; alter role clarity_app set idle_in_transaction_session_timeout = 0",
    ),
    ("members' sessions begin with an owner's rank", "alter role clarity_app set app.rank = '4'"),
];
