-- A second factor beside the password: codes that an app makes every thirty seconds (TOTP), and ten codes for the day when the app
-- is lost. All of it belongs to people and is read before a workspace is known: schema auth, clarity_auth alone.

create table auth.totp (
  user_id uuid primary key references auth.users (id),
  -- Sealed under the installation's key, bound to the person: of no use to whoever has only the database.
  secret_box bytea not null,
  begun_at timestamptz not null default now(),
  -- Until a first code was right, it asks nobody for anything.
  confirmed_at timestamptz,
  -- The newest thirty seconds whose code was used: that code, and all before it, are spent.
  last_step bigint not null default 0
);

-- Of each a keyed hash; the key is not in the database.
create table auth.recovery_codes (
  user_id uuid not null references auth.users (id),
  code_hash bytea not null check (length(code_hash) = 32),
  created_at timestamptz not null default now(),
  used_at timestamptz,
  primary key (user_id, code_hash)
);

-- Between the right password and the code. No session: nobody is in with it.
create table auth.pending_sign_ins (
  token_hash bytea primary key check (length(token_hash) = 32),
  user_id uuid not null references auth.users (id),
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  attempts int not null default 0
);
create index pending_sign_ins_by_user on auth.pending_sign_ins (user_id);
create index pending_sign_ins_by_expiry on auth.pending_sign_ins (expires_at);

-- When the session's person last showed that it is them. Whoever signs in does; sessions of before this migration did not.
alter table auth.sessions add column confirmed_at timestamptz;
alter table auth.sessions alter column confirmed_at set default now();
-- When a code was shown in it.
alter table auth.sessions add column second_factor_at timestamptz;

alter table auth.workspaces add column second_factor_required boolean not null default false;

grant select, insert, update, delete on auth.totp, auth.recovery_codes, auth.pending_sign_ins to clarity_auth;

insert into ops.tables_outside_workspaces (table_name, reason) values
  ('auth.totp', 'a person''s, not a workspace''s; clarity_auth only'),
  ('auth.recovery_codes', 'a person''s, not a workspace''s; clarity_auth only'),
  ('auth.pending_sign_ins', 'before there is a session or a workspace; clarity_auth only');

-- Again, for the new columns.
create or replace view auth.live_sessions with (security_invoker = true) as
  select * from auth.sessions
  where revoked_at is null
    and expires_at > now()
    and last_seen_at > now() - interval '12 hours';

-- As before, with what the session has shown and what the workspace asks for.
drop function auth.resolve_session(bytea, text);
create function auth.resolve_session(session_hash bytea, workspace_slug text)
  returns table (user_id uuid, workspace_id uuid, slug text, workspace_name text, time_zone text, role text,
                 second_factor_required boolean, second_factor boolean, confirmed_at timestamptz)
  language sql stable security definer set search_path = pg_catalog, auth
  as $$
    select s.user_id, w.id, w.slug, w.name, w.time_zone, m.role,
           w.second_factor_required, s.second_factor_at is not null, s.confirmed_at
    from auth.live_sessions s
    join auth.memberships m on m.user_id = s.user_id
    join auth.workspaces w on w.id = m.workspace_id
    where s.token_hash = session_hash
      and w.slug = workspace_slug
    limit 1
  $$;
revoke execute on function auth.resolve_session(bytea, text) from public;
grant execute on function auth.resolve_session(bytea, text) to clarity_auth;
