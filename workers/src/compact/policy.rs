//! When a stream's hot chunks are worth sealing.

use clarity_series::SEALED_ROWS;
use clarity_store::compaction::Waiting;

/// A hot chunk younger than this is left alone: what comes late mostly comes at once.
pub(super) const SETTLED_S: f64 = 3.0;
/// Rows that one batch takes at most: bounds memory (about 10 bytes a sample while merging).
pub(super) const BATCH_ROWS: i64 = 250_000;
/// Rows an asset, on average, that make chunks of a good size.
const GOOD_ROWS: i64 = SEALED_ROWS as i64 / 2;
/// Rows an asset that are worth sealing once they waited for [`WAITED_S`]: every chart decodes all that is hot, and a slow
/// stream has a hot chunk for every few rows. The next batches fill small chunks up; so slow a stream is cheap to write again.
const WORTH_ROWS: i64 = SEALED_ROWS as i64 / 100;
const WAITED_S: f64 = 10.0;
/// A sealed chunk below this many rows is merged with what comes next.
pub(super) const SMALL_ROWS: i32 = 500;
/// However few, rows are sealed after this long.
const OLD_S: f64 = 3600.0;
/// So many small hot chunks slow every read of the stream, however few rows they hold together. Sealing then makes small
/// chunks, which the next batches fill.
const MANY_CHUNKS: i64 = 2_000;

/// Whether sealing now would give chunks of a good size, or cannot wait.
pub(super) fn is_due(w: &Waiting) -> bool {
    let of_each = |rows: i64| w.assets.max(1).saturating_mul(rows).min(BATCH_ROWS);
    w.rows >= of_each(GOOD_ROWS)
        || (w.rows >= of_each(WORTH_ROWS) && w.oldest_age_s > WAITED_S)
        || w.oldest_age_s > OLD_S
        || w.chunks > MANY_CHUNKS
}

#[cfg(test)]
mod tests {
    use super::*;
    use clarity_domain::ids::StreamId;

    fn waiting(rows: i64, assets: i64) -> Waiting {
        Waiting { stream_id: StreamId(uuid::Uuid::nil()), chunks: 10, rows, oldest_age_s: 9.0, assets }
    }

    #[test]
    fn chunks_wait_for_a_good_size_but_not_for_ever() {
        assert!(!is_due(&waiting(999, 1)));
        assert!(is_due(&waiting(1_000, 1)));
        assert!(!is_due(&waiting(99_999, 100)));
        assert!(is_due(&waiting(100_000, 100)));
        let waited = |rows| Waiting { oldest_age_s: 11.0, ..waiting(rows, 100) };
        assert!(!is_due(&waited(1_999)));
        assert!(is_due(&waited(2_000)));
        assert!(is_due(&waiting(BATCH_ROWS, 1_000_000)), "a batch is never larger than memory allows");
        assert!(is_due(&Waiting { oldest_age_s: 3601.0, ..waiting(1, 100) }));
        assert!(is_due(&Waiting { chunks: 2_001, ..waiting(2_001, 100) }));
    }
}
