//! A source's segments in order: gapless, each sequence once, each hash following the one before, the cursor at the end.

use std::pin::pin;

use anyhow::{Context, Result, ensure};
use clarity_wire::body::decompress;
use clarity_wire::hash::BatchHash;
use futures::TryStreamExt;
use serde::Serialize;
use tokio_postgres::Client;

use super::fold::Fold;

#[derive(Clone, Debug)]
pub struct Source {
    pub id: String,
    pub name: String,
}

/// The source of this name; the only one when no name is given.
pub async fn find(client: &Client, name: Option<&str>) -> Result<Source> {
    let sql = "select id::text, name from sources where $1::text is null or name = $1 order by name";
    let rows = client.query(sql, &[&name]).await.context("cannot read the platform's sources")?;
    ensure!(!rows.is_empty(), "the platform knows no source{}", name.map_or(String::new(), |n| format!(" named {n}")));
    ensure!(rows.len() == 1, "the platform knows {} such sources: say which with --source", rows.len());
    Ok(Source { id: rows[0].get(0), name: rows[0].get(1) })
}

/// How bronze's sequences stand.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Sequences {
    pub segments: u64,
    pub epochs: u64,
    /// Sequences that are in no segment and under no gap marker.
    pub holes: u64,
    /// Sequences that are in more than one segment.
    pub overlaps: u64,
    /// Sequences under gap markers: lost or quarantined, and visibly so.
    pub marked: u64,
    pub markers: u64,
    /// Segments whose hash does not follow from the one before, or whose body is not what was hashed.
    pub broken_hashes: u64,
    /// The cursor stands at the end of what is there.
    pub cursor_at_end: bool,
    /// Segments whose number of lines is not what their row says.
    pub miscounted: u64,
}

impl Sequences {
    /// Deviations that are no loss and no doubling, but wrong.
    pub fn wrong(&self) -> u64 {
        self.broken_hashes + self.miscounted + u64::from(!self.cursor_at_end)
    }
}

/// A range that has no segment, and says so.
#[derive(Clone, Copy, Debug)]
pub struct Marker {
    pub epoch: i32,
    pub from_seq: i64,
    pub to_seq: i64,
}

#[derive(Clone, Copy, Debug)]
pub struct Place {
    pub epoch: i32,
    pub first_seq: i64,
    pub count: i64,
    /// Of the batch, and of its body alone.
    pub hash: BatchHash,
    pub body_hash: [u8; 32],
}

/// Walks segments in order of epoch and sequence.
pub struct Walk {
    pub found: Sequences,
    markers: Vec<Marker>,
    epoch: i32,
    next_seq: i64,
    /// None after a jump: there the chain begins anew, or goes on from a hash that is nowhere kept.
    last_hash: Option<BatchHash>,
}

impl Walk {
    pub fn new(markers: Vec<Marker>) -> Self {
        let found = Sequences { markers: markers.len() as u64, ..Sequences::default() };
        Self { found, markers, epoch: 0, next_seq: 1, last_hash: Some(BatchHash::ZERO) }
    }

    pub fn segment(&mut self, place: &Place) {
        self.found.segments += 1;
        if place.epoch != self.epoch {
            self.found.epochs += 1;
            (self.epoch, self.next_seq, self.last_hash) = (place.epoch, 1, Some(BatchHash::ZERO));
        }
        self.go_to(place.first_seq);
        let end = place.first_seq + place.count;
        if place.first_seq < self.next_seq {
            self.found.overlaps += (self.next_seq.min(end) - place.first_seq) as u64;
            self.last_hash = None;
        }
        if let Some(last) = self.last_hash {
            let (epoch, first_seq, count) = (place.epoch as u32, place.first_seq as u64, place.count as u32);
            let follows = BatchHash::chain(last, epoch, first_seq, count, &place.body_hash) == place.hash;
            self.found.broken_hashes += u64::from(!follows);
        }
        self.last_hash = Some(place.hash);
        self.next_seq = self.next_seq.max(end);
    }

    /// Ends the walk at the cursor.
    pub fn end(mut self, epoch: i32, next_seq: i64) -> Sequences {
        if epoch != self.epoch {
            (self.epoch, self.next_seq) = (epoch, 1);
        }
        // What a marker at the very end covers.
        let covered = self.covered(self.next_seq, next_seq);
        self.found.marked += covered as u64;
        self.found.cursor_at_end = self.next_seq + covered == next_seq;
        self.found
    }

    /// From where the walk is to `to`: what lies between is marked, or a hole.
    fn go_to(&mut self, to: i64) {
        if to <= self.next_seq {
            return;
        }
        let covered = self.covered(self.next_seq, to);
        self.found.marked += covered as u64;
        self.found.holes += (to - self.next_seq - covered) as u64;
        (self.next_seq, self.last_hash) = (to, None);
    }

    /// Sequences of the range that are under a marker.
    fn covered(&self, from: i64, to: i64) -> i64 {
        let mut ranges: Vec<(i64, i64)> = self
            .markers
            .iter()
            .filter(|m| m.epoch == self.epoch)
            .map(|m| (m.from_seq.max(from), m.to_seq.min(to)))
            .filter(|(a, b)| a < b)
            .collect();
        ranges.sort_unstable();
        let (mut covered, mut reached) = (0, from);
        for (a, b) in ranges {
            covered += (b - a.max(reached)).max(0);
            reached = reached.max(b);
        }
        covered
    }
}

/// Reads all of a source's bronze into the fold, in one consistent read.
pub async fn read(client: &Client, source: &Source, fold: &mut Fold) -> Result<Sequences> {
    client.batch_execute("begin isolation level repeatable read read only").await?;
    let markers = client
        .query("select epoch, from_seq, to_seq from gap_markers where source_id = $1::text::uuid", &[&source.id])
        .await?;
    let markers = markers.iter().map(|r| Marker { epoch: r.get(0), from_seq: r.get(1), to_seq: r.get(2) }).collect();
    let cursor = client
        .query_one("select epoch, next_seq from source_cursors where source_id = $1::text::uuid", &[&source.id])
        .await?;
    let mut walk = Walk::new(markers);
    let sql = "select epoch, first_seq, event_count, hash, body
               from bronze_segments
               where source_id = $1::text::uuid
               order by epoch, first_seq, received_on";
    let mut rows = pin!(client.query_raw(sql, [&source.id]).await.context("cannot read bronze")?);
    while let Some(row) = rows.try_next().await? {
        let (epoch, first_seq, count): (i32, i64, i32) = (row.get(0), row.get(1), row.get(2));
        let (hash, body): (&[u8], &[u8]) = (row.get(3), row.get(4));
        let place = Place {
            epoch,
            first_seq,
            count: i64::from(count),
            hash: BatchHash(hash.try_into().context("a hash has 32 bytes")?),
            body_hash: BatchHash::of_body(body),
        };
        let overlaps = walk.found.overlaps;
        walk.segment(&place);
        let said = || format!("segment {epoch}/{first_seq}");
        // A repeated segment is counted by its sequences; folding it again would count its events once more.
        if walk.found.overlaps == overlaps {
            let lines = fold.body(&decompress(body).with_context(said)?).with_context(said)?;
            walk.found.miscounted += u64::from(lines != u64::from(count.unsigned_abs()));
        }
    }
    client.batch_execute("commit").await?;
    Ok(walk.end(cursor.get(0), cursor.get(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(epoch: i32, parts: &[(i64, i64)]) -> Vec<Place> {
        let mut last = BatchHash::ZERO;
        let mut places = Vec::new();
        for &(first_seq, count) in parts {
            let body_hash = BatchHash::of_body(&first_seq.to_le_bytes());
            let hash = BatchHash::chain(last, epoch as u32, first_seq as u64, count as u32, &body_hash);
            places.push(Place { epoch, first_seq, count, hash, body_hash });
            last = hash;
        }
        places
    }

    fn walked(markers: &[(i32, i64, i64)], places: &[Place], cursor: (i32, i64)) -> Sequences {
        let markers = markers.iter().map(|&(epoch, from_seq, to_seq)| Marker { epoch, from_seq, to_seq });
        let mut walk = Walk::new(markers.collect());
        places.iter().for_each(|place| walk.segment(place));
        walk.end(cursor.0, cursor.1)
    }

    #[test]
    fn a_whole_log_is_whole() {
        let found = walked(&[], &chain(1, &[(1, 10), (11, 5), (16, 1)]), (1, 17));
        assert_eq!(found, Sequences { segments: 3, epochs: 1, cursor_at_end: true, ..Sequences::default() });
    }

    #[test]
    fn holes_overlaps_and_a_cursor_elsewhere_are_seen() {
        let places = chain(1, &[(1, 10), (14, 6)]);
        let found = walked(&[], &places, (1, 20));
        assert_eq!((found.holes, found.marked, found.cursor_at_end), (3, 0, true));
        let found = walked(&[(1, 11, 14)], &places, (1, 25));
        assert_eq!((found.holes, found.marked, found.cursor_at_end), (0, 3, false));
        let found = walked(&[(1, 11, 13), (1, 12, 14)], &places, (1, 20));
        assert_eq!((found.holes, found.marked), (0, 3), "markers that overlap count once");
        let found = walked(&[], &chain(1, &[(1, 10), (6, 10)]), (1, 16));
        assert_eq!(found.overlaps, 5);
        let found = walked(&[], &chain(1, &[(2, 10)]), (1, 12));
        assert_eq!(found.holes, 1, "an epoch begins at 1");
    }

    #[test]
    fn a_new_epoch_begins_anew_and_may_still_be_empty() {
        let mut places = chain(1, &[(1, 10)]);
        places.extend(chain(2, &[(1, 3)]));
        let found = walked(&[], &places, (2, 4));
        assert_eq!((found.epochs, found.holes, found.broken_hashes, found.cursor_at_end), (2, 0, 0, true));
        assert!(walked(&[], &places, (3, 1)).cursor_at_end);
        assert!(walked(&[(2, 4, 9)], &places, (2, 9)).cursor_at_end, "a loss at the very end");
    }

    #[test]
    fn a_changed_body_breaks_the_chain() {
        let mut places = chain(1, &[(1, 10), (11, 5), (16, 1)]);
        places[1].body_hash = BatchHash::of_body(b"other");
        assert_eq!(walked(&[], &places, (1, 17)).broken_hashes, 1);
    }
}
