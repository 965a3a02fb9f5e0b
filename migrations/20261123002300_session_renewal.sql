-- A session gets a new token when what its person may do has changed: what somebody took of the old one ends with it. The row
-- stays the same, and so does its key: streams, questions and lists go on. See docs/decisions/0020-session-renewal.md.

-- The next answer that may set a cookie brings a new token.
alter table auth.sessions add column renew_since timestamptz;
-- The token of now, once there is a newer one than the first, whose hash stays the key of the row.
alter table auth.sessions add column renewed_hash bytea unique check (length(renewed_hash) = 32);
alter table auth.sessions add column renewed_at timestamptz;
-- Somebody has come with the token of now: its answer was not lost on the way.
alter table auth.sessions add column renewed_used boolean not null default false;
-- The one before it, for what was on the way when it was replaced.
alter table auth.sessions add column previous_hash bytea unique check (length(previous_hash) = 32);
alter table auth.sessions add column previous_until timestamptz;

comment on column auth.sessions.token_hash is
  'Of the token that the session began with: its key. A cookie is compared with all three hashes, see find_live.';

-- Again, for the new columns.
create or replace view auth.live_sessions with (security_invoker = true) as
  select * from auth.sessions
  where revoked_at is null
    and expires_at > now()
    and last_seen_at > now() - interval '12 hours';

-- An account that the platform's operator has closed: nobody signs in to it.
alter table auth.users add column disabled_at timestamptz;
