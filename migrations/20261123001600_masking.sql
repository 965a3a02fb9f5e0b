-- What is masked, where and for whom. A policy is never changed: another one is made, and the old one removed.

create table masking_policies (
  workspace_id uuid not null default app_workspace(),
  id uuid not null,
  -- Null: every source.
  source_id uuid,
  -- schema.table, topic or subject; * for every stream.
  stream text not null check (length(stream) between 1 and 200),
  -- A column, or a path inside a JSON column.
  field text not null check (length(field) between 1 and 200),
  -- clarity_domain::masking::MaskRule
  rule jsonb not null,
  place text not null check (place in ('agent', 'view')),
  -- Of a view: who still sees it in the clear.
  least_role text check (least_role in ('operator', 'admin', 'owner')),
  created_by uuid not null,
  created_by_name text not null,
  created_at timestamptz not null default now(),
  removed_by uuid,
  removed_at timestamptz,
  primary key (workspace_id, id),
  foreign key (workspace_id, source_id) references sources (workspace_id, id)
);
-- One rule for a field in a place.
create unique index masking_policies_live on masking_policies (workspace_id, source_id, stream, field, place)
  nulls not distinct
  where removed_at is null;
select protect('masking_policies', 3);
grant select, insert, update on masking_policies to clarity_app;
grant select on masking_policies to clarity_worker, clarity_ingest;

-- Which state of the policies an agent said that it applies, and since when it does.
alter table agents add column masks_version bigint not null default 0;
alter table agents add column masks_at timestamptz;
