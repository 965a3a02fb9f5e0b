-- A new key in the place of an agent's own, asked for by a person. Both open until the new one was used once; then it alone
-- does, so that a connection or a process that broke at any moment leaves the agent with a key that is known here.

alter table auth.agent_keys
  -- Made by the agent and signed by both keys.
  add column next_public_key bytea unique check (length(next_public_key) = 32),
  add column new_key_asked_at timestamptz,
  add column key_replaced_at timestamptz,
  -- The agent's version, as it last connected, knows how.
  add column replaces_key boolean not null default false;

-- A function's columns cannot be added to.
drop function auth.resolve_agent(uuid);
create function auth.resolve_agent(wanted uuid)
  returns table (agent_id uuid, workspace_id uuid, public_key bytea, next_public_key bytea, generation bigint, offered bigint,
                 revoked boolean, new_key_asked boolean)
  language sql stable security definer set search_path = pg_catalog, auth
  as $$
    select k.agent_id, k.workspace_id, k.public_key, k.next_public_key, k.generation, k.offered, k.revoked_at is not null,
           k.new_key_asked_at is not null
    from auth.agent_keys k
    where k.agent_id = wanted
    limit 1
  $$;
revoke execute on function auth.resolve_agent(uuid) from public;
grant execute on function auth.resolve_agent(uuid) to clarity_auth;
