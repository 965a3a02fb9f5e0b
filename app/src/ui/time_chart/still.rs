//! The chart as the server draws it: lines, rules, and marks on both axes, without any script.

use leptos::prelude::*;

use super::Lines;
use crate::ui::{
    number,
    time::{Clock, Detail, mark},
};

/// Lowest and highest value with round marks between.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    pub low: f64,
    pub high: f64,
    pub step: f64,
}

impl Scale {
    /// About four steps of 1, 2 or 5 times a power of ten around all values; `None` when there is no value.
    pub fn around(values: impl Iterator<Item = f64>) -> Option<Self> {
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        for value in values.filter(|v| v.is_finite()) {
            low = low.min(value);
            high = high.max(value);
        }
        if low > high {
            return None;
        }
        let span = if high > low { high - low } else { high.abs().max(1.0) * 0.1 };
        let rough = span / 4.0;
        let power = 10f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|n| n * power).find(|step| *step >= rough * 0.999)?;
        let (low, high) = ((low / step).floor() * step, (high / step).ceil() * step);
        Some(Self { low, high: if high > low { high } else { low + step }, step })
    }

    /// From the top down.
    pub fn marks(&self) -> Vec<f64> {
        let count = ((self.high - self.low) / self.step).round() as u32;
        (0..=count).rev().map(|n| self.low + self.step * f64::from(n)).collect()
    }

    /// Share of the height from the top, in per cent.
    fn y(&self, value: f64) -> f64 {
        (self.high - value) / (self.high - self.low) * 100.0
    }
}

/// The picture until the canvas has drawn. After that it is not kept up to date: nobody sees it.
pub fn still(lines: Signal<Lines>, drawn: RwSignal<bool>) -> impl IntoView {
    let clock: Clock = expect_context();
    move || {
        (!drawn.get()).then(|| {
            lines.with(|lines| {
                let scale = Scale::around(lines.series.iter().flat_map(|line| line.values.iter().flatten().copied()))?;
                let marks = scale.marks();
                let rules = marks.iter().map(|value| view! { <path class="cs-chart__rule" d=format!("M0,{0:.2}H100", scale.y(*value))></path> }).collect_view();
                let paths = lines
                    .series
                    .iter()
                    .enumerate()
                    .map(|(at, line)| view! { <path class="cs-chart__line" data-series=at.to_string() d=path(&line.values, lines.len(), &scale)></path> })
                    .collect_view();
                let (from, to) = (lines.from, lines.to());
                let detail = if to - from > 2 * clarity_domain::time::DAY { Detail::Day } else { Detail::Minute };
                let times = (0..=4).map(|n| view! { <span>{mark(clock, from + (to - from) / 4 * n, detail)}</span> }).collect_view();
                Some(view! {
                    <div class="cs-chart__still" aria-hidden="true">
                        <div class="cs-chart__y">{marks.into_iter().map(|value| view! { <span>{axis(value, scale.step)}</span> }).collect_view()}</div>
                        <svg viewBox="0 0 100 100" preserveAspectRatio="none">{rules}{paths}</svg>
                        <div class="cs-chart__x">{times}</div>
                    </div>
                })
            })
        })
        .flatten()
    }
}

/// A mark with as many digits as its step needs.
fn axis(value: f64, step: f64) -> String {
    let digits = (-step.log10().floor()).clamp(0.0, 6.0) as usize;
    number::fixed(value, digits)
}

/// A line in a box of 100 by 100; a gap lifts the pen.
fn path(values: &[Option<f64>], len: usize, scale: &Scale) -> String {
    let step = 100.0 / (len.max(2) - 1) as f64;
    let mut out = String::with_capacity(values.len() * 12);
    let mut down = false;
    for (at, value) in values.iter().enumerate() {
        if let Some(value) = value.filter(|v| v.is_finite()) {
            out.push(if down { 'L' } else { 'M' });
            number::push_hundredths(&mut out, at as f64 * step);
            out.push(',');
            number::push_hundredths(&mut out, scale.y(value));
        }
        down = value.is_some();
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_have_round_marks_around_all_values() {
        let scale = Scale::around([41.0, 96.0].into_iter()).unwrap();
        assert_eq!((scale.low, scale.high, scale.step), (40.0, 100.0, 20.0));
        assert_eq!(scale.marks(), [100.0, 80.0, 60.0, 40.0]);
        let flat = Scale::around([518.67].into_iter()).unwrap();
        assert!(flat.low <= 518.67 && flat.high >= 518.67 && flat.high > flat.low);
        assert_eq!(Scale::around(std::iter::empty()), None);
        assert_eq!(Scale::around([f64::NAN].into_iter()), None);
        assert!(Scale::around([0.0, 0.0].into_iter()).is_some());
    }

    #[test]
    fn a_gap_lifts_the_pen() {
        let scale = Scale { low: 0.0, high: 10.0, step: 5.0 };
        let path = path(&[Some(0.0), Some(10.0), None, Some(5.0), Some(5.0)], 5, &scale);
        assert_eq!(path, "M0.00,100.00L25.00,0.00M75.00,50.00L100.00,50.00");
    }

    #[test]
    fn marks_have_the_digits_of_their_step() {
        assert_eq!(axis(0.25, 0.05), "0.25");
        assert_eq!(axis(40.0, 20.0), "40");
        assert_eq!(axis(1500.0, 500.0), "1\u{2009}500");
    }
}
