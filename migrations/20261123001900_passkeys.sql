-- Passkeys: keys that a person's device holds and unlocks by finger, face or PIN. Here is only the public half, and the
-- questions that wait for an answer. A person's, and read before a workspace is known: schema auth, clarity_auth alone.

create table auth.passkeys (
  id uuid primary key,
  user_id uuid not null references auth.users (id),
  -- By which the device names it. Of two people it is never the same one.
  credential_id bytea not null unique,
  -- The public key, with how often it was used as the device counts: no secret.
  credential jsonb not null,
  name text not null,
  created_at timestamptz not null default now(),
  last_used_at timestamptz
);
create index passkeys_by_user on auth.passkeys (user_id);

-- A question to a device, from which its answer is checked once. One of a kind at a time for each that may ask: a session, a
-- sign-in that waits for its second step, or a browser that begins one.
create table auth.passkey_ceremonies (
  -- The hash of the token of that session or sign-in.
  bound_to bytea not null check (length(bound_to) = 32),
  kind text not null check (kind in ('register', 'confirm', 'second_step', 'sign_in')),
  -- Null while nobody knows who signs in.
  user_id uuid references auth.users (id),
  state jsonb not null,
  expires_at timestamptz not null,
  primary key (bound_to, kind)
);
create index passkey_ceremonies_by_expiry on auth.passkey_ceremonies (expires_at);

grant select, insert, update, delete on auth.passkeys, auth.passkey_ceremonies to clarity_auth;

insert into ops.tables_outside_workspaces (table_name, reason) values
  ('auth.passkeys', 'a person''s, not a workspace''s; clarity_auth only'),
  ('auth.passkey_ceremonies', 'before there is a session or a workspace; clarity_auth only');
