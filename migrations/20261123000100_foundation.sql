-- Scope functions and the one helper that protects a tenant table. Every later migration builds on this.

create schema auth;
create schema ops;
create schema global;
revoke all on schema auth, ops, global from public;
grant usage on schema public to
  clarity_app, clarity_ingest, clarity_worker, clarity_global, clarity_ops, clarity_auth, clarity_system;
grant usage on schema auth to clarity_auth;
grant usage on schema ops to clarity_system, clarity_ingest, clarity_worker, clarity_ops;
grant usage on schema global to clarity_global, clarity_ops;
alter default privileges for role clarity_owner revoke execute on functions from public;

-- The workspace of this transaction; none where the setting is no id: after a transaction it reads '', and a bare cast of
-- anything else would fail only where a row is looked at, and so tell that there is one.
create function app_workspace() returns uuid
  language sql stable parallel safe
  as $$
    select case
      when pg_catalog.current_setting('app.workspace_id', true) operator(pg_catalog.~) '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
      then pg_catalog.current_setting('app.workspace_id', true)::pg_catalog.uuid
    end
  $$;

-- Rank of the member on whose behalf this transaction runs: viewer 1, operator 2, admin 3, owner 4; 0 for none, and for what is
-- no rank.
create function app_rank() returns int
  language sql stable parallel safe
  as $$
    select case
      when pg_catalog.current_setting('app.rank', true) operator(pg_catalog.~) '^[1-4]$'
      then pg_catalog.current_setting('app.rank', true)::pg_catalog.int4
      else 0
    end
  $$;

grant execute on function app_workspace(), app_rank() to
  clarity_app, clarity_ingest, clarity_worker, clarity_global, clarity_ops, clarity_auth, clarity_system;

-- Makes a table a tenant table. RLS is enabled and forced; the restrictive boundary holds for every command and role, so that
-- no later permissive policy can open the table; the permissive policies are per role. A member writes from `write_rank` on.
-- What a role may do at all is said by grants, beside each table.
create function protect(target regclass, write_rank int) returns void
  language plpgsql
  as $$
begin
  execute format('alter table %s enable row level security', target);
  execute format('alter table %s force row level security', target);
  execute format(
    'create policy tenant_boundary on %s as restrictive for all to public
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
$$;

-- A partition is reached through its parent only: RLS forced, no policy, no grant.
create function protect_partition(target regclass) returns void
  language plpgsql
  as $$
begin
  execute format('alter table %s enable row level security', target);
  execute format('alter table %s force row level security', target);
  execute format('revoke all on table %s from public', target);
end
$$;

-- Tables that stand outside every workspace, each with its reason. The catalogue test reads this list.
create table ops.tables_outside_workspaces (
  table_name text primary key,
  reason text not null
);
insert into ops.tables_outside_workspaces (table_name, reason) values
  ('ops.tables_outside_workspaces', 'the list itself'),
  ('public._sqlx_migrations', 'which migrations have run; owner only');
