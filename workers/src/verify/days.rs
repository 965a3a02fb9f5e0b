//! Buckets of the site's days, put together while hours are compared.

use super::{Differences, Report};
use crate::rollup::buckets::{self, Metrics};
use crate::rollup::day;
use anyhow::Context;
use clarity_domain::ids::StreamId;
use clarity_domain::time::{HOUR, MINUTE, Micros};
use clarity_store::{WorkspaceTx, rollup};
use jiff::tz::TimeZone;
use std::collections::{BTreeMap, HashMap};

/// An asset's day: asset, start, end.
type Day = (i32, Micros, Micros);

/// What a stream's days should hold.
pub struct Days<'a> {
    zones: &'a HashMap<i32, TimeZone>,
    days: BTreeMap<Day, Metrics>,
}

impl<'a> Days<'a> {
    /// `zones`: by asset number.
    pub fn new(zones: &'a HashMap<i32, TimeZone>) -> Self {
        Self { zones, days: BTreeMap::new() }
    }

    /// Adds an asset's hour, after all earlier ones: as one bucket, or by minutes where a day begins within it, just as the
    /// rollup role adds them up. Sums of floats depend on it.
    pub fn add(&mut self, asset: i32, hour: Micros, minutes: &BTreeMap<Micros, Metrics>) {
        let zone = self.zones.get(&asset).cloned().unwrap_or(TimeZone::UTC);
        let (from, to) = day::bounds(hour, &zone);
        if to >= hour + HOUR {
            return self.merge((asset, from, to), &buckets::merged(minutes.values()));
        }
        for (start, metrics) in minutes {
            let (from, to) = day::bounds(*start, &zone);
            self.merge((asset, from, to), metrics);
        }
    }

    fn merge(&mut self, day: Day, metrics: &Metrics) {
        let sum = self.days.entry(day).or_default();
        *sum = buckets::merged([&*sum, metrics].into_iter());
    }

    /// Compares days that begin at `from` or later and have no dirty minutes with what is stored, and finds stored ones that
    /// should not be there.
    pub async fn compare(
        mut self,
        tx: &mut WorkspaceTx,
        stream: StreamId,
        from: Micros,
        place: &dyn Fn(i32) -> String,
        report: &mut Report,
        differences: &mut Differences,
    ) -> anyhow::Result<()> {
        self.days.retain(|_, metrics| !metrics.is_empty());
        let assets: Vec<i32> = self.zones.keys().copied().collect();
        let all: Vec<Day> = assets.iter().map(|asset| (*asset, Micros::MIN / 2, Micros::MAX / 2)).collect();
        let dirty = rollup::list_dirty(tx, stream, &assets, Micros::MIN / 2, Micros::MAX / 2).await?;
        let is_dirty = |(asset, from, to): Day| {
            dirty.iter().any(|mark| {
                let minutes = (0..60).filter(|n| mark.minutes >> n & 1 == 1).map(|n| mark.hour + n * MINUTE);
                mark.asset_number == asset && minutes.clone().any(|minute| (from..to).contains(&minute))
            })
        };
        let mut found = BTreeMap::new();
        for row in rollup::list_encoded(tx, stream, rollup::DAY_GRAIN, &all).await? {
            let metrics = buckets::decode(&row).context("a rollup cannot be read")?;
            found.insert((row.asset_number, row.from, row.to), metrics);
        }
        let mut days: Vec<Day> = self.days.keys().chain(found.keys()).copied().collect();
        days.sort_unstable();
        days.dedup();
        for day in days.into_iter().filter(|day| day.1 >= from && !is_dirty(*day)) {
            report.buckets += 1;
            if found.get(&day) != self.days.get(&day) {
                differences.add(format!("{} days", place(day.0)), || format!("the bucket from {}", day.1));
            }
        }
        Ok(())
    }
}
