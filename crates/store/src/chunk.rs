//! Chunks of samples as rows (`crates/series` knows what is inside), and the newest value of each asset and metric.

use crate::Result;
use crate::at::{micros, timestamp};
use crate::tx::WorkspaceTx;
use clarity_domain::ids::StreamId;
use clarity_domain::time::{DAY, Micros, day_start};
use uuid::Uuid;

/// A chunk as it stands.
#[derive(Clone, Debug)]
pub struct StoredChunk {
    pub id: Uuid,
    pub sealed: bool,
    /// 0 for a hot chunk: its rows say.
    pub asset_number: i32,
    pub row_count: i32,
    pub from: Micros,
    pub to: Micros,
    pub body: Vec<u8>,
}

/// The chunks of a stream that may hold rows of these assets with `from <= at < to`: sealed ones of the assets, and hot
/// ones with a row of them.
pub async fn list_chunks(
    tx: &mut WorkspaceTx,
    stream: StreamId,
    assets: &[i32],
    from: Micros,
    to: Micros,
) -> Result<Vec<StoredChunk>> {
    let workspace = tx.workspace();
    // A sealed chunk never crosses a UTC day, so its start is not before the day's.
    let rows = sqlx::query!(
        r#"select id as "id!", sealed as "sealed!", asset_number as "asset_number!", row_count as "row_count!",
                  from_at as "from_at!", to_at as "to_at!", body as "body!"
           from sample_chunks
           where workspace_id = $1 and stream_id = $2 and sealed and asset_number = any($3)
             and from_at >= $6 and from_at < $5 and to_at >= $4
           union all
           select id, sealed, asset_number, row_count, from_at, to_at, body
           from sample_chunks
           where workspace_id = $1 and stream_id = $2 and not sealed
             and from_at < $5 and to_at >= $4 and (asset_numbers is null or asset_numbers && $3)"#,
        workspace,
        stream.0,
        assets,
        timestamp(from),
        timestamp(to),
        timestamp(day_start(from))
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows
        .into_iter()
        .map(|r| StoredChunk {
            id: r.id,
            sealed: r.sealed,
            asset_number: r.asset_number,
            row_count: r.row_count,
            from: micros(r.from_at),
            to: micros(r.to_at),
            body: r.body,
        })
        .collect())
}

/// What is known of a hot chunk without its body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HotChunk {
    pub id: Uuid,
    pub row_count: i32,
    pub size_bytes: i32,
    pub age_s: i64,
}

/// A stream's hot chunks, oldest first.
pub async fn list_hot(tx: &mut WorkspaceTx, stream: StreamId) -> Result<Vec<HotChunk>> {
    let workspace = tx.workspace();
    let rows = sqlx::query!(
        r#"select id, row_count, octet_length(body) as "size!",
                  extract(epoch from clock_timestamp() - created_at)::bigint as "age!"
           from sample_chunks
           where workspace_id = $1 and stream_id = $2 and not sealed
           order by created_at, id"#,
        workspace,
        stream.0
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows
        .into_iter()
        .map(|r| HotChunk { id: r.id, row_count: r.row_count, size_bytes: r.size, age_s: r.age })
        .collect())
}

/// The bodies of these chunks, those that still stand.
pub async fn read_bodies(tx: &mut WorkspaceTx, sealed: bool, ids: &[Uuid]) -> Result<Vec<Vec<u8>>> {
    let workspace = tx.workspace();
    Ok(sqlx::query_scalar!(
        "select body from sample_chunks where workspace_id = $1 and sealed = $2 and id = any($3)",
        workspace,
        sealed,
        ids
    )
    .fetch_all(tx.conn())
    .await?)
}

/// A chunk to be stored.
#[derive(Clone, Debug)]
pub struct NewChunk {
    /// 0 for a hot chunk.
    pub asset_number: i32,
    /// Of a hot chunk: whose rows it has. Empty for a sealed one.
    pub asset_numbers: Vec<i32>,
    pub from: Micros,
    pub to: Micros,
    pub row_count: i32,
    pub sample_count: i32,
    pub epoch: i32,
    pub first_seq: i64,
    pub stats: Vec<u8>,
    pub body: Vec<u8>,
}

/// Stores chunks of a stream.
pub async fn insert(tx: &mut WorkspaceTx, stream: StreamId, sealed: bool, chunks: Vec<NewChunk>) -> Result<()> {
    if chunks.is_empty() {
        return Ok(());
    }
    let workspace = tx.workspace();
    let ids: Vec<Uuid> = chunks.iter().map(|_| Uuid::now_v7()).collect();
    let assets: Vec<i32> = chunks.iter().map(|c| c.asset_number).collect();
    let from: Vec<_> = chunks.iter().map(|c| timestamp(c.from)).collect();
    let to: Vec<_> = chunks.iter().map(|c| timestamp(c.to)).collect();
    let rows: Vec<i32> = chunks.iter().map(|c| c.row_count).collect();
    let samples: Vec<i32> = chunks.iter().map(|c| c.sample_count).collect();
    let epochs: Vec<i32> = chunks.iter().map(|c| c.epoch).collect();
    let seqs: Vec<i64> = chunks.iter().map(|c| c.first_seq).collect();
    // All chunks' lists one after another; each takes its slice.
    let (mut first, mut last, mut end) = (Vec::new(), Vec::new(), 0);
    for chunk in &chunks {
        first.push(end + 1);
        end += chunk.asset_numbers.len() as i32;
        last.push(end);
    }
    let lists: Vec<i32> = chunks.iter().flat_map(|c| c.asset_numbers.iter().copied()).collect();
    let (stats, bodies): (Vec<_>, Vec<_>) = chunks.into_iter().map(|c| (c.stats, c.body)).unzip();
    sqlx::query!(
        "insert into sample_chunks
           (workspace_id, stream_id, sealed, id, asset_number, asset_numbers, from_at, to_at, row_count, sample_count,
            epoch, first_seq, stats, body)
         select $1, $2, $3, c.id, c.asset_number, nullif(($14::int[])[c.first:c.last], '{}'), c.from_at, c.to_at,
                c.row_count, c.sample_count, c.epoch, c.first_seq, c.stats, c.body
         from unnest($4::uuid[], $5::int[], $6::timestamptz[], $7::timestamptz[], $8::int[], $9::int[], $10::int[],
                     $11::bigint[], $12::bytea[], $13::bytea[], $15::int[], $16::int[])
              as c (id, asset_number, from_at, to_at, row_count, sample_count, epoch, first_seq, stats, body, first, last)",
        workspace,
        stream.0,
        sealed,
        &ids,
        &assets,
        &from,
        &to,
        &rows,
        &samples,
        &epochs,
        &seqs,
        &stats,
        &bodies,
        &lists,
        &first,
        &last
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Removes chunks; false when one of them is gone already, and then the transaction must not be committed.
pub async fn remove(tx: &mut WorkspaceTx, sealed: bool, ids: &[Uuid]) -> Result<bool> {
    let workspace = tx.workspace();
    let done = sqlx::query!(
        "delete from sample_chunks where workspace_id = $1 and sealed = $2 and id = any($3)",
        workspace,
        sealed,
        ids
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == ids.len() as u64)
}

/// A span of one asset's time: for finding the sealed chunks that new rows fall into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AssetSpan {
    pub asset_number: i32,
    pub from: Micros,
    /// Inclusive.
    pub to: Micros,
}

/// Sealed chunks that overlap the spans of their asset, and those below `small` rows on the same UTC days, which are
/// worth filling.
pub async fn list_sealed_near(
    tx: &mut WorkspaceTx,
    stream: StreamId,
    spans: &[AssetSpan],
    small: i32,
) -> Result<Vec<StoredChunk>> {
    let workspace = tx.workspace();
    let assets: Vec<i32> = spans.iter().map(|s| s.asset_number).collect();
    let from: Vec<_> = spans.iter().map(|s| timestamp(s.from)).collect();
    let to: Vec<_> = spans.iter().map(|s| timestamp(s.to)).collect();
    let days: Vec<_> = spans.iter().map(|s| timestamp(day_start(s.from))).collect();
    let ends: Vec<_> = spans.iter().map(|s| timestamp(day_start(s.to) + DAY)).collect();
    let rows = sqlx::query!(
        r#"select distinct on (c.id) c.id, c.asset_number, c.row_count, c.from_at, c.to_at, c.body
           from unnest($3::int[], $4::timestamptz[], $5::timestamptz[], $6::timestamptz[], $7::timestamptz[])
                as s (asset_number, from_at, to_at, day_at, end_at)
           join sample_chunks c on c.workspace_id = $1 and c.stream_id = $2 and c.sealed
                               and c.asset_number = s.asset_number and c.from_at >= s.day_at and c.from_at < s.end_at
           where (c.from_at <= s.to_at and c.to_at >= s.from_at) or c.row_count < $8"#,
        workspace,
        stream.0,
        &assets,
        &from,
        &to,
        &days,
        &ends,
        small
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows
        .into_iter()
        .map(|r| StoredChunk {
            id: r.id,
            sealed: true,
            asset_number: r.asset_number,
            row_count: r.row_count,
            from: micros(r.from_at),
            to: micros(r.to_at),
            body: r.body,
        })
        .collect())
}

/// Every chunk of a stream with its assets, without bodies: for `verify`.
pub async fn list_all(tx: &mut WorkspaceTx, stream: StreamId) -> Result<Vec<(Uuid, bool, i32)>> {
    let workspace = tx.workspace();
    let rows = sqlx::query!(
        "select id, sealed, asset_number
         from sample_chunks
         where workspace_id = $1 and stream_id = $2
         order by sealed, asset_number, from_at",
        workspace,
        stream.0
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|r| (r.id, r.sealed, r.asset_number)).collect())
}

/// The newest value of a metric.
#[derive(Clone, Debug, PartialEq)]
pub struct LatestValue {
    pub metric_number: i32,
    pub at: Micros,
    /// A snapshot read it.
    pub snapshot: bool,
    /// `None` for null and for a value that is no number.
    pub number: Option<f64>,
    /// A value that is no number, as text.
    pub text: Option<String>,
}

/// The newest values of an asset in a stream, by metric number.
#[derive(Clone, Debug, PartialEq)]
pub struct Latest {
    pub stream_id: StreamId,
    pub asset_number: i32,
    /// Of the newest of them.
    pub at: Micros,
    pub received_at: Micros,
    pub epoch: i32,
    pub seq: i64,
    pub values: Vec<LatestValue>,
}

/// The newest values of all assets and streams.
pub async fn latest(tx: &mut WorkspaceTx) -> Result<Vec<Latest>> {
    read_latest(tx, None, None).await
}

/// Those of one stream and these assets.
pub async fn latest_of(tx: &mut WorkspaceTx, stream: StreamId, assets: &[i32]) -> Result<Vec<Latest>> {
    read_latest(tx, Some(stream), Some(assets)).await
}

/// Those of one asset, over all streams.
pub async fn latest_of_asset(tx: &mut WorkspaceTx, asset: i32) -> Result<Vec<Latest>> {
    read_latest(tx, None, Some(&[asset])).await
}

async fn read_latest(tx: &mut WorkspaceTx, stream: Option<StreamId>, assets: Option<&[i32]>) -> Result<Vec<Latest>> {
    let workspace = tx.workspace();
    let rows = sqlx::query!(
        "select stream_id, asset_number, at, received_at, epoch, seq, metric_numbers, ats, snapshots, numbers, texts
         from latest_samples
         where workspace_id = $1
           and ($2::uuid is null or stream_id = $2)
           and ($3::int[] is null or asset_number = any($3))
         order by stream_id, asset_number",
        workspace,
        stream.map(|s| s.0),
        assets
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows
        .into_iter()
        .map(|r| {
            let mut values = Vec::with_capacity(r.metric_numbers.len());
            for (i, &metric_number) in r.metric_numbers.iter().enumerate() {
                let number = r.numbers.get(i).copied().unwrap_or(f64::NAN);
                let text = r.texts.get(i).map_or("", String::as_str);
                let (number, text) = match (number.is_nan(), text) {
                    (false, _) => (Some(number), None),
                    (true, "") => (None, None),
                    (true, "NaN") => (Some(number), None),
                    (true, text) => (None, Some(text.strip_prefix('=').unwrap_or(text).to_owned())),
                };
                values.push(LatestValue {
                    metric_number,
                    at: r.ats.get(i).copied().map_or(i64::MIN, micros),
                    snapshot: r.snapshots.get(i).copied().unwrap_or_default(),
                    number,
                    text,
                });
            }
            Latest {
                stream_id: StreamId(r.stream_id),
                asset_number: r.asset_number,
                at: micros(r.at),
                received_at: micros(r.received_at),
                epoch: r.epoch,
                seq: r.seq,
                values,
            }
        })
        .collect())
}

/// Writes the newest values of a stream's assets, as they are given; ascending by asset.
pub async fn write_latest(tx: &mut WorkspaceTx, stream: StreamId, latest: &[Latest]) -> Result<()> {
    if latest.is_empty() {
        return Ok(());
    }
    let workspace = tx.workspace();
    let assets: Vec<i32> = latest.iter().map(|l| l.asset_number).collect();
    let at: Vec<_> = latest.iter().map(|l| timestamp(l.at)).collect();
    let epochs: Vec<i32> = latest.iter().map(|l| l.epoch).collect();
    let seqs: Vec<i64> = latest.iter().map(|l| l.seq).collect();
    // All rows' arrays one after another; each row takes its slice. Slices of arrays of fixed width without nulls cost
    // no search, which is why null is NaN here. Texts are there only for the rows that have some.
    let (mut first, mut last, mut first_text, mut last_text) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let (mut metrics, mut ats, mut snapshots) = (Vec::new(), Vec::new(), Vec::new());
    let (mut numbers, mut texts): (Vec<f64>, Vec<String>) = (Vec::new(), Vec::new());
    for l in latest {
        first.push(numbers.len() as i32 + 1);
        first_text.push(texts.len() as i32 + 1);
        let some_text = l.values.iter().any(|v| v.text.is_some() || v.number.is_some_and(f64::is_nan));
        for v in &l.values {
            metrics.push(v.metric_number);
            ats.push(timestamp(v.at));
            snapshots.push(v.snapshot);
            numbers.push(v.number.unwrap_or(f64::NAN));
            if some_text {
                texts.push(match (&v.number, &v.text) {
                    (Some(n), _) if n.is_nan() => "NaN".to_owned(),
                    (None, Some(text)) => format!("={text}"),
                    _ => String::new(),
                });
            }
        }
        last.push(numbers.len() as i32);
        last_text.push(texts.len() as i32);
    }
    sqlx::query!(
        "insert into latest_samples
           (workspace_id, stream_id, asset_number, at, epoch, seq, metric_numbers, ats, snapshots, numbers, texts)
         select $1, $2, l.asset_number, l.at, l.epoch, l.seq, ($11::int[])[l.first:l.last],
                ($12::timestamptz[])[l.first:l.last], ($13::boolean[])[l.first:l.last], ($14::float8[])[l.first:l.last],
                ($15::text[])[l.first_text:l.last_text]
         from unnest($3::int[], $4::timestamptz[], $5::int[], $6::bigint[], $7::int[], $8::int[], $9::int[], $10::int[])
              as l (asset_number, at, epoch, seq, first, last, first_text, last_text)
         on conflict (workspace_id, stream_id, asset_number) do update
         set at = excluded.at, epoch = excluded.epoch, seq = excluded.seq, metric_numbers = excluded.metric_numbers,
             ats = excluded.ats, snapshots = excluded.snapshots, numbers = excluded.numbers, texts = excluded.texts,
             received_at = now()",
        workspace,
        stream.0,
        &assets,
        &at,
        &epochs,
        &seqs,
        &first,
        &last,
        &first_text,
        &last_text,
        &metrics,
        &ats,
        &snapshots,
        &numbers,
        &texts
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}
