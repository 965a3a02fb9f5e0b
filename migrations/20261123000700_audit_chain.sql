-- The audit log: what people, agents, services and our own support did, one chain a workspace. Each entry carries the hash of
-- the one before it and its own, over all of its columns. Both are made here, by a trigger: a service can add an entry and can
-- neither choose its place, its time and its hashes, nor change or remove one.

-- The end of each workspace's chain. Only the trigger writes it, and its lock puts concurrent entries in an order; nothing but
-- writers of entries ever waits for it.
create table audit_heads (
  workspace_id uuid not null default app_workspace(),
  seq bigint not null default 0,
  at timestamptz not null default '-infinity',
  hash bytea not null default decode(repeat('00', 32), 'hex') check (length(hash) = 32),
  primary key (workspace_id)
) with (fillfactor = 50);
select protect('audit_heads', 4);
alter policy member_reads on audit_heads
  using (workspace_id = (select app_workspace()) and (select app_rank()) >= 3);
grant select on audit_heads to clarity_app, clarity_worker;

create table audit_entries (
  workspace_id uuid not null default app_workspace(),
  -- Place in the chain, from 1 without a gap.
  seq bigint not null default 0,
  -- Never before the entry before it.
  at timestamptz not null default now(),
  actor_kind text not null check (actor_kind in ('person', 'agent', 'service', 'support')),
  actor_id uuid,
  -- As it was shown when it acted.
  actor_name text not null,
  -- clarity_domain::audit::Act
  act text not null,
  object_kind text not null default '',
  object_id text not null default '',
  object_name text not null default '',
  -- What the act changed, as an object; never a secret.
  before jsonb,
  after jsonb,
  outcome text not null default 'done' check (outcome in ('done', 'refused')),
  address text not null default '',
  request_id uuid,
  previous_hash bytea not null default decode(repeat('00', 32), 'hex') check (length(previous_hash) = 32),
  hash bytea not null default decode(repeat('00', 32), 'hex') check (length(hash) = 32),
  primary key (workspace_id, seq)
);
create index audit_entries_by_time on audit_entries (workspace_id, at, seq);
select protect('audit_entries', 1);
-- Every member's acts are written, in their own transactions; only admins and owners read.
alter policy member_reads on audit_entries
  using (workspace_id = (select app_workspace()) and (select app_rank()) >= 3);
grant insert (
  workspace_id, actor_kind, actor_id, actor_name, act, object_kind, object_id, object_name, before, after, outcome, address,
  request_id
) on audit_entries to clarity_app, clarity_ingest, clarity_worker;
grant select on audit_entries to clarity_app, clarity_worker;

-- A field of the canonical form: its length in four bytes, then its bytes; null is the length -1. So no two rows have one form.
create function audit_field(value bytea) returns bytea
  language sql immutable parallel safe
  as $$ select case when value is null then '\xffffffff'::bytea else int4send(length(value)) || value end $$;

-- SHA-256 of the canonical form. `store::audit::verify` computes the same on its own: change both, and the version in front.
create function audit_hash(e audit_entries) returns bytea
  language sql stable parallel safe
  as $$
    select sha256(
      audit_field(convert_to('clarity audit 1', 'UTF8'))
      || audit_field(uuid_send(e.workspace_id))
      || audit_field(int8send(e.seq))
      || audit_field(int8send((extract(epoch from e.at) * 1000000)::bigint))
      || audit_field(convert_to(e.actor_kind, 'UTF8'))
      || audit_field(uuid_send(e.actor_id))
      || audit_field(convert_to(e.actor_name, 'UTF8'))
      || audit_field(convert_to(e.act, 'UTF8'))
      || audit_field(convert_to(e.object_kind, 'UTF8'))
      || audit_field(convert_to(e.object_id, 'UTF8'))
      || audit_field(convert_to(e.object_name, 'UTF8'))
      || audit_field(convert_to(e.before::text, 'UTF8'))
      || audit_field(convert_to(e.after::text, 'UTF8'))
      || audit_field(convert_to(e.outcome, 'UTF8'))
      || audit_field(convert_to(e.address, 'UTF8'))
      || audit_field(uuid_send(e.request_id))
      || audit_field(e.previous_hash))
  $$;

-- Chains a new entry to the workspace's last. Whatever the statement said of place, time and hashes is replaced.
create function chain_audit_entry() returns trigger
  language plpgsql security definer set search_path = pg_catalog, public
  as $$
declare
  head audit_heads;
begin
  -- A trigger comes before the policies: the chain of another workspace must not even be locked.
  if new.workspace_id is distinct from app_workspace() then
    raise exception using errcode = '42501', message = 'an entry belongs to the workspace of its transaction';
  end if;
  insert into audit_heads (workspace_id) values (new.workspace_id) on conflict (workspace_id) do nothing;
  select h.* into strict head from audit_heads h where h.workspace_id = new.workspace_id for update;
  new.seq := head.seq + 1;
  new.at := greatest(clock_timestamp(), head.at);
  new.previous_hash := head.hash;
  new.hash := audit_hash(new);
  update audit_heads set seq = new.seq, at = new.at, hash = new.hash where workspace_id = new.workspace_id;
  return new;
end
$$;
create trigger chain before insert on audit_entries for each row execute function chain_audit_entry();
