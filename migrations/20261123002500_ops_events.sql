-- What our own people did at their own doors is kept for two years: nobody changes an entry, and what is older is removed.

-- Removes the oldest entries before a time, at most so many; gives how many. Nothing that is younger than two years, whoever
-- calls it.
create function auth.remove_ops_events(older_than timestamptz, at_most bigint) returns bigint
  language plpgsql security definer set search_path = pg_catalog, auth
  as $$
declare
  removed bigint;
begin
  if older_than is null or at_most is null or at_most not between 1 and 50000 then
    raise exception using errcode = '22023', message = 'a removal needs a time and a bound';
  end if;
  if older_than > now() - interval '730 days' then
    raise exception using errcode = '42501', message = 'entries of our own people are kept for two years';
  end if;
  delete from auth.ops_events e
  where e.id in (
    select o.id
    from auth.ops_events o
    where o.at < older_than
    order by o.at
    limit at_most
    for update skip locked
  );
  get diagnostics removed = row_count;
  return removed;
end
$$;
revoke execute on function auth.remove_ops_events(timestamptz, bigint) from public;
grant execute on function auth.remove_ops_events(timestamptz, bigint) to clarity_system;
