-- How long a workspace keeps what, the holds that stop all removal, and the proof of what was removed. Rows go by bounded deletes
-- of their own workspace; what an owner of the tables has to do stands here, in functions that check everything themselves.

-- A class without a row has its default (clarity_domain::retention); a row without days keeps for ever.
create table retention_policies (
  workspace_id uuid not null default app_workspace(),
  data_class text not null check (data_class in (
    'bronze', 'samples', 'states', 'rollup_1m', 'rollup_1h', 'rollup_1d', 'records', 'dead_letters', 'audit'
  )),
  keep_days int,
  changed_at timestamptz not null default now(),
  primary key (workspace_id, data_class),
  constraint retention_policies_least check (
    keep_days between case data_class when 'bronze' then 2 when 'audit' then 90 when 'records' then 7 else 1 end and 36500
  )
);
select protect('retention_policies', 3);
grant select, insert, update on retention_policies to clarity_app;
grant select on retention_policies to clarity_worker;

-- While one is open nothing of the workspace is removed.
create table legal_holds (
  workspace_id uuid not null default app_workspace(),
  id uuid not null,
  reason text not null check (length(reason) between 1 and 300),
  placed_by uuid not null,
  placed_at timestamptz not null default now(),
  lifted_by uuid,
  lifted_at timestamptz,
  primary key (workspace_id, id)
);
select protect('legal_holds', 4);
grant select, insert, update on legal_holds to clarity_app;
grant select on legal_holds to clarity_worker;

-- The proof: what a run removed, and what was left after it. Its row is written with its first removal and grows with each.
create table retention_runs (
  workspace_id uuid not null default app_workspace(),
  id uuid not null,
  data_class text not null check (data_class in (
    'bronze', 'samples', 'states', 'rollup_1m', 'rollup_1h', 'rollup_1d', 'records', 'dead_letters', 'audit'
  )),
  started_at timestamptz not null,
  finished_at timestamptz,
  -- What lay before this went. Null: the class is kept for ever.
  cut_at timestamptz,
  rows_removed bigint not null default 0,
  bytes_freed bigint not null default 0,
  oldest_kept_at timestamptz,
  rows_kept bigint,
  bytes_kept bigint,
  primary key (workspace_id, id)
);
create index retention_runs_by_class on retention_runs (workspace_id, data_class, started_at);
select protect('retention_runs', 4);
grant select, insert, update on retention_runs to clarity_worker;
grant select on retention_runs to clarity_app;

-- Up to where the beginning of a source's bronze was removed: whoever reads it from its beginning must know that it is gone.
create table bronze_cuts (
  workspace_id uuid not null default app_workspace(),
  source_id uuid not null,
  epoch int not null,
  next_seq bigint not null,
  primary key (workspace_id, source_id),
  foreign key (workspace_id, source_id) references sources (workspace_id, id)
);
select protect('bronze_cuts', 4);
grant select, insert, update on bronze_cuts to clarity_worker;
grant select on bronze_cuts to clarity_app;

-- Up to when what an asset's buckets are made of was removed: such a bucket is never made again from what is left.
create table retention_floors (
  workspace_id uuid not null default app_workspace(),
  stream_id uuid not null,
  asset_number int not null,
  before_at timestamptz not null,
  primary key (workspace_id, stream_id, asset_number),
  foreign key (workspace_id, stream_id) references streams (workspace_id, id)
);
select protect('retention_floors', 4);
grant select, insert, update on retention_floors to clarity_worker;

-- A batch that could not be decoded is bronze too: its body goes, the gap stays.
grant update (body) on gap_markers to clarity_worker;

-- What of the workspace's bronze would go, or all of it without a day. Members never read payloads, so they ask here. The
-- conditions are those of `store::retention::remove`.
create function bronze_figures(older_than date) returns table (row_count bigint, byte_count bigint, oldest timestamptz)
  language plpgsql stable security definer set search_path = pg_catalog, public
  as $$
begin
  if app_workspace() is null or (session_user <> 'clarity_worker' and app_rank() < 3) then
    raise exception using errcode = '42501', message = 'figures of bronze need a workspace and the rank of an admin';
  end if;
  return query
    select count(*), coalesce(sum(octet_length(b.body)), 0)::bigint, min(b.received_at)
    from bronze_segments b
    left join refine_cursors c on c.workspace_id = b.workspace_id and c.source_id = b.source_id
    where b.workspace_id = app_workspace()
      and (older_than is null or (
        b.received_on < older_than
        and (b.epoch, b.first_seq + b.event_count) <= (c.epoch, c.next_seq)
        and not exists (
          select from dead_letters d
          where d.workspace_id = b.workspace_id and d.source_id = b.source_id and d.epoch = b.epoch
            and d.seq >= b.first_seq and d.seq < b.first_seq + b.event_count and d.replayed_at is null
        )
      ));
end
$$;
grant execute on function bronze_figures(date) to clarity_app, clarity_worker;

-- Drops days of bronze in which no workspace has a row any more. A partition's forced policies would hide every row from the
-- owner as well, and a full day look empty: they are lifted for the look, under the lock that the drop needs anyway, and stand
-- again before anybody else can come. A day that somebody is reading is left for the next time.
create function ops.drop_empty_partitions(older_than date) returns int
  language plpgsql security definer set search_path = pg_catalog, public set lock_timeout = '200ms'
  as $$
declare
  leaf text;
  has_rows boolean;
  dropped int := 0;
begin
  if older_than is null or older_than > (now() at time zone 'utc')::date - 1 then
    raise exception using errcode = '22023', message = 'days of bronze that may still be written to are not dropped';
  end if;
  for leaf in
    select c.relname
    from pg_inherits i
    join pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'public.bronze_segments'::regclass
      and c.relname ~ '^bronze_segments_[0-9]{8}$'
      and right(c.relname, 8) < to_char(older_than, 'YYYYMMDD')
    order by c.relname
  loop
    begin
      execute format('alter table public.%I no force row level security', leaf);
      execute format('select exists (select from public.%I)', leaf) into has_rows;
      if has_rows then
        execute format('alter table public.%I force row level security', leaf);
      else
        execute format('drop table public.%I', leaf);
        dropped := dropped + 1;
      end if;
    exception when lock_not_available then
      null;
    end;
  end loop;
  return dropped;
end
$$;
grant execute on function ops.drop_empty_partitions(date) to clarity_system;

-- Where the audit log begins when its beginning was removed: place and hash of the last entry that went. It holds only together
-- with the entry that tells of the same cut, which stands in the chain itself.
create table audit_anchors (
  workspace_id uuid not null default app_workspace(),
  seq bigint not null,
  hash bytea not null default decode(repeat('00', 32), 'hex') check (length(hash) = 32),
  cut_at timestamptz not null default now(),
  primary key (workspace_id)
);
select protect('audit_anchors', 4);
alter policy member_reads on audit_anchors
  using (workspace_id = (select app_workspace()) and (select app_rank()) >= 3);
grant select on audit_anchors to clarity_app, clarity_worker;

-- Removes the oldest entries of the workspace's audit log, and tells of it in the log. The policy and the holds are read here:
-- whoever calls it cannot remove more than they allow.
create function cut_audit(older_than timestamptz, at_most int) returns table (removed bigint, freed bigint)
  language plpgsql security definer set search_path = pg_catalog, public
  as $$
declare
  workspace uuid := app_workspace();
  keep int;
  cut_seq bigint;
  cut_hash bytea;
begin
  if workspace is null or older_than is null or at_most is null or at_most not between 1 and 50000 then
    raise exception using errcode = '22023', message = 'a cut needs a workspace, a time and a bound';
  end if;
  perform pg_advisory_xact_lock_shared(hashtextextended('retention ' || workspace::text, 0));
  if exists (select from legal_holds h where h.workspace_id = workspace and h.lifted_at is null) then
    raise exception using errcode = '42501', message = 'a legal hold is open';
  end if;
  select p.keep_days into keep from retention_policies p where p.workspace_id = workspace and p.data_class = 'audit';
  if keep is null or keep < 90 or older_than > now() - make_interval(days => keep) then
    raise exception using errcode = '42501', message = 'the policy keeps these entries';
  end if;
  -- In order with those who add entries.
  perform from audit_heads h where h.workspace_id = workspace for update;
  select count(*), coalesce(sum(pg_column_size(o)), 0)::bigint, max(o.seq)
  into removed, freed, cut_seq
  from (
    select e.*
    from audit_entries e
    where e.workspace_id = workspace and e.at < older_than
    order by e.seq
    limit at_most
  ) o;
  if removed > 0 then
    select e.hash into strict cut_hash from audit_entries e where e.workspace_id = workspace and e.seq = cut_seq;
    delete from audit_entries e where e.workspace_id = workspace and e.seq <= cut_seq;
    insert into audit_anchors as a (workspace_id, seq, hash)
    values (workspace, cut_seq, cut_hash)
    on conflict (workspace_id) do update
    set seq = excluded.seq, hash = excluded.hash, cut_at = now();
    insert into audit_entries (workspace_id, actor_kind, actor_name, act, object_kind, object_id, object_name, after)
    values (workspace, 'service', 'retain', 'retention.run', 'retention', 'audit', 'Audit log', jsonb_build_object(
      'rows', removed, 'bytes', freed, 'before', older_than, 'cut_seq', cut_seq, 'cut_hash', encode(cut_hash, 'hex')
    ));
  end if;
  return next;
end
$$;
grant execute on function cut_audit(timestamptz, int) to clarity_worker;
