//! The newest records in memory, so that a live event is sent without reading it back from the disk.

use super::record::Record;
use std::collections::VecDeque;

#[derive(Debug)]
pub(super) struct Ring {
    records: VecDeque<Record>,
    bytes: usize,
    limit: usize,
}

/// What a record costs beside its body.
const OVERHEAD: usize = 400;

impl Ring {
    pub fn new(limit: usize) -> Self {
        Self { records: VecDeque::new(), bytes: 0, limit }
    }

    pub fn push(&mut self, record: Record) {
        self.bytes += record.body.len() + OVERHEAD;
        self.records.push_back(record);
        while self.bytes > self.limit {
            self.pop();
        }
    }

    fn pop(&mut self) {
        if let Some(old) = self.records.pop_front() {
            self.bytes -= old.body.len() + OVERHEAD;
        }
    }

    /// The record that holds `seq`, if it is still here.
    pub fn find(&self, seq: u64) -> Option<&Record> {
        let after = self.records.partition_point(|r| r.first_seq <= seq);
        self.records.get(after.checked_sub(1)?).filter(|r| seq < r.next_seq())
    }

    pub fn forget_before(&mut self, seq: u64) {
        while self.records.front().is_some_and(|r| r.next_seq() <= seq) {
            self.pop();
        }
    }

    /// Forgets what was written but never synced.
    pub fn forget_from(&mut self, seq: u64) {
        while let Some(last) = self.records.back().filter(|r| r.first_seq >= seq) {
            self.bytes -= last.body.len() + OVERHEAD;
            self.records.pop_back();
        }
    }

    pub fn clear(&mut self) {
        self.records.clear();
        self.bytes = 0;
    }
}
