//! The client's state of the Overview: how a live update changes it, and what is derived from it. Plain Rust.

use clarity_domain::{
    ids::AssetId,
    state::StateCategory,
    time::SECOND,
    truth::duration,
    view::{
        Micros,
        live::{ChartPoint, LiveUpdate, StateChange, ValueChange},
        overview::{Chart, Overview, StateInterval, TimelineRow},
    },
};

use crate::ui::{pill::Tone, timeline};

/// Applies what changed. Twice is as good as once; what is older than what is shown is left out.
pub fn apply(overview: &mut Overview, update: LiveUpdate, moving: bool) {
    overview.as_of = overview.as_of.max(update.sent_at);
    if let Some(freshness) = update.freshness {
        overview.freshness = freshness;
    }
    if let Some(kpis) = update.kpis {
        overview.kpis = kpis;
    }
    for change in update.values {
        set_value(overview, change);
    }
    if moving {
        let span = overview.to - overview.from;
        overview.to = overview.to.max(update.sent_at);
        overview.from = overview.to - span;
    }
    for change in update.states {
        set_state(overview, change, moving);
    }
    let (from, to) = (overview.from, overview.to);
    if let Some(chart) = &mut overview.chart {
        for point in update.points {
            set_point(chart, &point, to);
        }
        if moving {
            forget_before(chart, from);
        }
    }
}

fn set_value(overview: &mut Overview, change: ValueChange) {
    let latest = overview
        .assets
        .iter_mut()
        .find(|row| row.id == change.asset_id)
        .and_then(|row| row.latest.iter_mut().find(|latest| latest.metric == change.metric));
    if let Some(latest) = latest
        && latest.at.is_none_or(|at| at <= change.at)
    {
        latest.value = change.value;
        latest.at = Some(change.at);
    }
}

fn set_state(overview: &mut Overview, change: StateChange, moving: bool) {
    let row = overview.assets.iter_mut().find(|row| row.id == change.asset_id);
    if let Some(row) = row
        && row.state_since.is_none_or(|since| since <= change.since)
    {
        row.state = change.state;
        row.state_label.clone_from(&change.label);
        row.state_reason.clone_from(&change.reason);
        row.state_since = Some(change.since);
    }
    let line = overview.timeline.iter_mut().find(|row| row.asset_id == change.asset_id);
    if let (Some(line), true) = (line, moving) {
        begin_interval(line, change);
    }
}

/// Ends the open interval where the new one begins. The same interval again gets its newer words (a reason was given).
fn begin_interval(row: &mut TimelineRow, change: StateChange) {
    let next =
        StateInterval { from: change.since, to: None, state: change.state, label: change.label, reason: change.reason };
    match row.intervals.last_mut() {
        Some(last) if last.from > next.from => return,
        Some(last) if last.from == next.from => {
            *last = next;
            return;
        }
        Some(last) if last.to.is_none_or(|to| to > next.from) => last.to = Some(next.from),
        _ => {}
    }
    row.intervals.push(next);
}

fn set_point(chart: &mut Chart, point: &ChartPoint, to: Micros) {
    if chart.metric != point.metric || chart.step_us <= 0 || point.at < chart.from || point.at > to {
        return;
    }
    let at = ((point.at - chart.from) / chart.step_us) as usize;
    if let Some(series) = chart.series.iter_mut().find(|series| series.asset_id == point.asset_id) {
        if series.values.len() <= at {
            series.values.resize(at + 1, None);
        }
        series.values[at] = point.value;
    }
}

/// Drops whole buckets that a moving range has left behind.
fn forget_before(chart: &mut Chart, from: Micros) {
    if chart.step_us <= 0 || from <= chart.from {
        return;
    }
    let buckets = (from - chart.from) / chart.step_us;
    for series in &mut chart.series {
        series.values.drain(..(buckets as usize).min(series.values.len()));
    }
    chart.from += buckets * chart.step_us;
}

/// Our word for a state.
pub const fn word(state: StateCategory) -> &'static str {
    match state {
        StateCategory::Running => "Running",
        StateCategory::Idle => "Idle",
        StateCategory::SetUp => "Set-up",
        StateCategory::Down => "Down",
        StateCategory::Planned => "Planned stop",
        StateCategory::Unknown => "Unknown",
    }
}

pub const fn tone(state: StateCategory) -> Tone {
    match state {
        StateCategory::Running => Tone::Ok,
        StateCategory::SetUp => Tone::Warn,
        StateCategory::Down => Tone::Bad,
        StateCategory::Idle | StateCategory::Planned | StateCategory::Unknown => Tone::Idle,
    }
}

/// "Down 12 min": a state that is not running says for how long.
pub fn state_words(state: StateCategory, since: Option<Micros>, now: Micros) -> String {
    match since {
        Some(since) if state != StateCategory::Running => format!("{} {}", word(state), duration(now - since)),
        _ => word(state).into(),
    }
}

/// The timeline in bars; an open interval reaches to the end of the range.
pub fn timeline_rows(overview: &Overview) -> Vec<timeline::Row> {
    let bar = |interval: &StateInterval| {
        let to = interval.to.unwrap_or(overview.to);
        let mut words = format!("{} {}", word(interval.state), duration(to - interval.from));
        for more in [&interval.label, &interval.reason].into_iter().flatten() {
            words.push_str(", ");
            words.push_str(more);
        }
        timeline::Bar { from: interval.from, to, state: interval.state.as_str(), words }
    };
    overview
        .timeline
        .iter()
        .map(|row| timeline::Row { name: row.asset.clone(), bars: row.intervals.iter().map(bar).collect() })
        .collect()
}

/// Downtime within the range by reason, longest first. What lasted less than a second in all is left out: it reads as none.
pub fn downtime_by_reason(overview: &Overview) -> Vec<(String, Micros)> {
    let mut reasons: Vec<(String, Micros)> = Vec::new();
    for interval in overview.timeline.iter().flat_map(|row| &row.intervals).filter(|i| i.state == StateCategory::Down) {
        let lasted = interval.to.unwrap_or(overview.to).min(overview.to) - interval.from.max(overview.from);
        if lasted <= 0 {
            continue;
        }
        let reason = interval.reason.as_deref().unwrap_or("No reason given yet");
        match reasons.iter_mut().find(|(known, _)| known == reason) {
            Some((_, sum)) => *sum += lasted,
            None => reasons.push((reason.to_owned(), lasted)),
        }
    }
    reasons.retain(|(_, lasted)| *lasted >= SECOND);
    reasons.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    reasons
}

/// The asset of a row, as it is now.
pub fn asset(overview: &Overview, id: AssetId) -> Option<clarity_domain::view::overview::AssetRow> {
    overview.assets.iter().find(|row| row.id == id).cloned()
}

#[cfg(test)]
#[path = "model_tests.rs"]
mod tests;
