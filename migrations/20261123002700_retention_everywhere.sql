-- Retention's turns do not go by sources alone: a workspace without any has an audit log like any other. These are due beside
-- those with a source: older than a day, since of a younger one nothing is old enough for any class; and not those whose erasure
-- has begun, of which everything goes.
create function auth.list_aged_workspaces() returns table (workspace_id uuid)
  language sql stable security definer set search_path = pg_catalog, auth
  as $$
    select w.id
    from auth.workspaces w
    where w.created_at < now() - interval '1 day'
      and not exists (
        select from auth.deletions d
        where d.workspace_id = w.id
          and d.begun_at is not null
      )
    order by w.id
  $$;
grant execute on function auth.list_aged_workspaces() to clarity_system;
