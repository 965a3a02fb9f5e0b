-- Retention's turns go by workspaces: one without any source has an audit log, and policies, like any other. Of one whose
-- erasure has begun everything goes, so it has no turn.
create function auth.list_workspaces() returns table (workspace_id uuid)
  language sql stable security definer set search_path = pg_catalog, auth
  as $$
    select w.id
    from auth.workspaces w
    where not exists (
      select from auth.deletions d
      where d.workspace_id = w.id
        and d.begun_at is not null
    )
    order by w.id
  $$;
grant execute on function auth.list_workspaces() to clarity_system;
