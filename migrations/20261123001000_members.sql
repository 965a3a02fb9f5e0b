-- How people come into a workspace and become its owners. Like all of schema auth for clarity_auth alone. Every change of who is
-- in a workspace, and as what, begins by locking its row in auth.workspaces: two owners who leave at once leave one after the other.

create table auth.invitations (
  id uuid primary key,
  workspace_id uuid not null references auth.workspaces (id),
  email text not null check (email = lower(email) and length(email) <= 254),
  -- Nobody is invited as an owner.
  role text not null check (role in ('admin', 'operator', 'viewer')),
  -- Of the newest letter's link; the links of older letters are dead.
  token_hash bytea not null unique check (length(token_hash) = 32),
  -- Who sent it last and answers for it: when they may not invite any more, it is not valid.
  invited_by uuid not null references auth.users (id),
  created_at timestamptz not null default now(),
  sent_at timestamptz not null default now(),
  expires_at timestamptz not null,
  accepted_at timestamptz,
  accepted_by uuid references auth.users (id),
  revoked_at timestamptz
);
-- One address is asked once; a letter that was lost is sent again.
create unique index invitations_open on auth.invitations (workspace_id, email) where accepted_at is null and revoked_at is null;

-- The first of the two steps to an owner. One open offer a workspace; it goes with the membership of either side.
create table auth.ownership_offers (
  workspace_id uuid primary key references auth.workspaces (id),
  user_id uuid not null,
  offered_by uuid not null,
  offered_at timestamptz not null default now(),
  expires_at timestamptz not null,
  foreign key (workspace_id, user_id) references auth.memberships (workspace_id, user_id) on delete cascade,
  foreign key (workspace_id, offered_by) references auth.memberships (workspace_id, user_id) on delete cascade
);

-- Letters of the last hour that members of a workspace had sent to others: nobody sends mail without end in our name.
create table auth.member_letters (
  workspace_id uuid not null references auth.workspaces (id),
  id uuid not null,
  sent_at timestamptz not null default now(),
  primary key (workspace_id, id)
);

grant select, insert, update on auth.invitations to clarity_auth;
grant select, insert, delete on auth.ownership_offers, auth.member_letters to clarity_auth;

insert into ops.tables_outside_workspaces (table_name, reason)
values
  ('auth.invitations', 'read by its link, before a workspace is known; clarity_auth only'),
  ('auth.ownership_offers', 'changes memberships, which are read before a workspace is known; clarity_auth only'),
  ('auth.member_letters', 'counted where letters are written, in schema auth; clarity_auth only');
