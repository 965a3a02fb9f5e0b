//! The machines: their state, their newest values, and the timeline of their states.

use std::collections::HashMap;

use clarity_domain::state::StateCategory;
use clarity_domain::time::Micros;
use clarity_domain::view::overview::{self as view, AssetRow, StateInterval, TimelineRow};
use clarity_store::asset::Asset;
use clarity_store::chunk::{Latest, LatestValue};
use clarity_store::state::Interval;

use super::chart::Choice;
use super::figures;

/// All machines, worst state first, then by name.
pub(super) fn rows(machines: &[&Asset], today: &[Interval], latest: &[Latest], columns: &[&Choice]) -> Vec<AssetRow> {
    let open = figures::open(today);
    let values = newest_values(latest, columns);
    let mut rows: Vec<AssetRow> = machines
        .iter()
        .map(|machine| {
            let state = open.get(&machine.number);
            AssetRow {
                id: machine.id,
                name: machine.name.clone(),
                line: Some(machine.line.clone()).filter(|line| !line.is_empty()),
                state: state.map_or(StateCategory::Unknown, |s| s.category),
                state_label: state.and_then(|s| label(s)),
                state_reason: state.and_then(|s| s.reason.clone()),
                state_since: state.map(|s| s.from),
                latest: columns
                    .iter()
                    .enumerate()
                    .map(|(column, choice)| {
                        let value = values.get(&(machine.number, column));
                        view::Latest {
                            metric: choice.name.clone(),
                            unit: choice.unit(),
                            value: value.and_then(|v| v.number).filter(|n| n.is_finite()),
                            at: value.map(|v| v.at),
                            hidden: choice.hidden && value.is_some(),
                        }
                    })
                    .collect(),
            }
        })
        .collect();
    rows.sort_by(|a, b| badness(b.state).cmp(&badness(a.state)).then_with(|| a.name.cmp(&b.name)));
    rows
}

/// The newest value of each machine and column, over all streams that have the metric.
fn newest_values<'a>(latest: &'a [Latest], columns: &[&Choice]) -> HashMap<(i32, usize), &'a LatestValue> {
    // A few: looked through, not hashed.
    let column_of: Vec<(i32, usize)> = columns
        .iter()
        .enumerate()
        .flat_map(|(column, choice)| choice.fields.iter().map(move |field| (field.number, column)))
        .collect();
    let mut newest: HashMap<(i32, usize), &LatestValue> = HashMap::new();
    for row in latest {
        for value in &row.values {
            let Some((_, column)) = column_of.iter().find(|(number, _)| *number == value.metric_number) else {
                continue;
            };
            let known = newest.entry((row.asset_number, *column)).or_insert(value);
            if value.at > known.at {
                *known = value;
            }
        }
    }
    newest
}

const fn badness(state: StateCategory) -> u8 {
    match state {
        StateCategory::Down => 5,
        StateCategory::SetUp => 4,
        StateCategory::Idle => 3,
        StateCategory::Unknown => 2,
        StateCategory::Running => 1,
        StateCategory::Planned => 0,
    }
}

/// The customer's word, where it says more than ours.
pub(crate) fn label(interval: &Interval) -> Option<String> {
    let plain = |text: &str| text.to_lowercase().replace(['-', '_', ' '], "");
    (plain(&interval.state) != plain(interval.category.as_str())).then(|| interval.state.clone())
}

/// The states of the rows' machines, cut to `[from, to)`, in the rows' order.
pub(super) fn timeline(
    rows: &[AssetRow],
    machines: &[&Asset],
    intervals: &[Interval],
    from: Micros,
    to: Micros,
) -> Vec<TimelineRow> {
    let numbers: HashMap<_, _> = machines.iter().map(|m| (m.id, m.number)).collect();
    let mut of_machine: HashMap<i32, Vec<&Interval>> = HashMap::new();
    for interval in intervals {
        of_machine.entry(interval.asset_number).or_default().push(interval);
    }
    rows.iter()
        .map(|row| {
            let known = numbers.get(&row.id).and_then(|number| of_machine.get(number));
            let intervals = known.map_or_else(Vec::new, |known| cut(known, from, to));
            TimelineRow { asset_id: row.id, asset: row.name.clone(), intervals }
        })
        .collect()
}

/// In order, not overlapping: where two of one machine overlap, the later one holds from its start on.
fn cut(intervals: &[&Interval], from: Micros, to: Micros) -> Vec<StateInterval> {
    let mut cut: Vec<StateInterval> = Vec::with_capacity(intervals.len());
    for interval in intervals {
        let starts = interval.from.max(from);
        let ends = interval.to.filter(|end| *end < to).or((interval.to.is_some()).then_some(to));
        if starts >= to || ends.is_some_and(|end| end <= starts) {
            continue;
        }
        if let Some(before) = cut.last_mut().filter(|b| b.to.is_none_or(|end| end > starts)) {
            before.to = Some(starts);
            if before.from >= starts {
                cut.pop();
            }
        }
        cut.push(StateInterval {
            from: starts,
            to: ends,
            state: interval.category,
            label: label(interval),
            reason: interval.reason.clone(),
        });
    }
    cut
}

#[cfg(test)]
mod tests {
    use super::*;
    use clarity_domain::ids::StreamId;

    fn interval(from: Micros, to: Option<Micros>, state: &str) -> Interval {
        let category = StateCategory::guess(state);
        Interval {
            stream_id: StreamId(uuid::Uuid::nil()),
            asset_number: 1,
            from,
            to,
            state: state.into(),
            category,
            reason: None,
        }
    }

    #[test]
    fn a_timeline_is_cut_and_never_overlaps() {
        let all = [
            interval(0, Some(10), "running"),
            interval(10, Some(40), "down"),
            interval(30, Some(60), "idle"),
            interval(60, None, "running"),
        ];
        let all: Vec<&Interval> = all.iter().collect();
        let spans: Vec<_> = cut(&all, 5, 50).into_iter().map(|i| (i.from, i.to, i.state)).collect();
        use StateCategory::{Down, Idle, Running};
        assert_eq!(spans, [(5, Some(10), Running), (10, Some(30), Down), (30, Some(50), Idle)]);
        assert_eq!(cut(&all, 55, 100).last().map(|i| i.to), Some(None), "an open one stays open");
        assert!(cut(&all[..1], 10, 50).is_empty());
    }

    #[test]
    fn the_customers_word_is_kept_where_it_differs() {
        assert_eq!(label(&interval(0, None, "RUNNING")), None);
        assert_eq!(label(&interval(0, None, "set up")), None);
        assert_eq!(label(&interval(0, None, "Producing")).as_deref(), Some("Producing"));
    }
}
