-- Programs that read a workspace: a service account is a named user that is no person, and its tokens are how it is known. Like all
-- of schema auth for clarity_auth alone. Of a token only its hash is kept; the hash is looked up before a workspace is known.

create table auth.service_accounts (
  workspace_id uuid not null references auth.workspaces (id),
  id uuid not null,
  name text not null check (length(name) between 1 and 80),
  -- A program never manages members, tokens or the workspace.
  role text not null check (role in ('operator', 'viewer')),
  created_by uuid not null references auth.users (id),
  created_at timestamptz not null default now(),
  removed_at timestamptz,
  primary key (workspace_id, id)
);
-- A name is given again once its account was removed.
create unique index service_accounts_name on auth.service_accounts (workspace_id, lower(name)) where removed_at is null;

create table auth.api_tokens (
  token_hash bytea primary key check (length(token_hash) = 32),
  id uuid not null unique,
  workspace_id uuid not null references auth.workspaces (id),
  service_account_id uuid not null,
  -- What it is for, in its maker's words.
  name text not null check (length(name) between 1 and 80),
  scopes text[] not null
    check (scopes <@ array['read:workspace', 'read:assets', 'read:sources', 'read:series'] and cardinality(scopes) > 0),
  created_by uuid not null references auth.users (id),
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  -- Noted at most once a minute.
  last_used_at timestamptz,
  revoked_at timestamptz,
  -- None is for ever; a day more than the longest one that is offered, for clocks that differ.
  constraint api_tokens_life check (expires_at > created_at and expires_at <= created_at + interval '366 days'),
  foreign key (workspace_id, service_account_id) references auth.service_accounts (workspace_id, id)
);
create index api_tokens_by_account on auth.api_tokens (workspace_id, service_account_id, created_at desc);

grant select, insert, update on auth.service_accounts, auth.api_tokens to clarity_auth;

insert into ops.tables_outside_workspaces (table_name, reason)
values
  ('auth.service_accounts', 'read by a token''s hash, before a workspace is known; clarity_auth only'),
  ('auth.api_tokens', 'read by its hash, before a workspace is known; clarity_auth only');

-- The service account of a token that is live, with its workspace.
create function auth.resolve_token(wanted bytea)
  returns table (token_id uuid, account_id uuid, account_name text, role text, scopes text[], workspace_id uuid, slug text,
                 workspace_name text, time_zone text, stale boolean)
  language sql stable security definer set search_path = pg_catalog, auth
  as $$
    select t.id, a.id, a.name, a.role, t.scopes, w.id, w.slug, w.name, w.time_zone,
           coalesce(t.last_used_at < now() - interval '1 minute', true)
    from auth.api_tokens t
    join auth.service_accounts a on a.workspace_id = t.workspace_id and a.id = t.service_account_id
    join auth.workspaces w on w.id = t.workspace_id
    where t.token_hash = wanted
      and t.revoked_at is null
      and t.expires_at > now()
      and a.removed_at is null
    limit 1
  $$;

grant execute on function auth.resolve_token(bytea) to clarity_auth;
