-- Attempts to sign in with an address that nobody has: counted where an account's are, so that neither the wait nor the time an
-- answer takes tells which it is, whichever server is asked.

create table auth.strangers (
  -- Of the address, with the installation's key: what people typed by mistake is not kept in the clear.
  address_hash bytea primary key check (length(address_hash) = 32),
  failed_sign_ins integer not null default 0 check (failed_sign_ins >= 0),
  sign_in_blocked_until timestamptz,
  last_at timestamptz not null default now()
);

grant select, insert, update, delete on auth.strangers to clarity_auth;

insert into ops.tables_outside_workspaces (table_name, reason) values
  ('auth.strangers', 'before there is a person or a workspace; clarity_auth only');
