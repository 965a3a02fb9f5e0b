//! Times in the viewer's zone, with the exact time on hover.
//!
//! The server knows no zone, so it writes UTC; the browser draws exactly that, and turns to local time when hydration
//! has ended. Zone offsets come from the browser, per instant: no zone table in the WASM.

use clarity_domain::{time::DAY, truth::duration, view::Micros};
use leptos::prelude::*;

/// The browser's clock, one tick a second. `None` on the server and until hydration has ended.
#[derive(Clone, Copy)]
pub struct Clock(RwSignal<Option<Micros>>);

impl Clock {
    /// Starts the clock; provided once by the app.
    pub fn provide() {
        let clock = Self(RwSignal::new(None));
        #[cfg(feature = "hydrate")]
        {
            let tick = move || {
                clock.0.try_set(Some(now()));
            };
            // A task after all hydration work; before it, server and browser must draw the same.
            set_timeout(tick, std::time::Duration::ZERO);
            if let Ok(interval) = set_interval_with_handle(tick, std::time::Duration::from_secs(1)) {
                on_cleanup(move || interval.clear());
            }
        }
        provide_context(clock);
    }

    /// Now, or `None` before hydration has ended. Changes every second.
    pub fn now(self) -> Option<Micros> {
        self.0.get()
    }

    /// Has hydration ended? Changes once.
    pub fn is_running(self) -> Memo<bool> {
        Memo::new(move |_| self.0.with(Option::is_some))
    }
}

#[cfg(feature = "hydrate")]
fn now() -> Micros {
    (js_sys::Date::now() * 1000.0) as i64
}

/// Local minus UTC at that instant.
#[cfg(feature = "hydrate")]
fn offset(at: Micros) -> Micros {
    -(js_sys::Date::new(&((at / 1000) as f64).into()).get_timezone_offset() * 60e6) as i64
}

#[cfg(not(feature = "hydrate"))]
fn offset(_: Micros) -> Micros {
    0
}

/// How much of a time is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// 14:32
    Minute,
    /// 14:32:07
    Second,
    /// 12 Nov 14:32
    Day,
    /// 2026-11-12 14:32:07.482
    Exact,
}

/// Writes `at` as read off a clock that is `offset` ahead of UTC.
pub fn written(at: Micros, offset: Micros, detail: Detail) -> String {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let local = at.saturating_add(offset);
    let (year, month, day) = civil(local.div_euclid(DAY));
    let ms = local.rem_euclid(DAY) / 1000;
    let (h, m, s) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60);
    match detail {
        Detail::Minute => format!("{h:02}:{m:02}"),
        Detail::Second => format!("{h:02}:{m:02}:{s:02}"),
        Detail::Day => format!("{day} {} {h:02}:{m:02}", MONTHS[month as usize - 1]),
        Detail::Exact => format!("{year:04}-{month:02}-{day:02} {h:02}:{m:02}:{s:02}.{:03}", ms % 1000),
    }
}

/// Year, month, day of a day number since 1970-01-01 (Howard Hinnant's `civil_from_days`).
fn civil(days: i64) -> (i64, u32, u32) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let day = (doy - (153 * mp + 2) / 5 + 1) as u32;
    let month = if mp < 10 { mp + 3 } else { mp - 9 } as u32;
    (yoe + era * 400 + i64::from(month <= 2), month, day)
}

/// For the `datetime` attribute.
pub fn iso(at: Micros) -> String {
    format!("{}Z", written(at, 0, Detail::Exact).replacen(' ', "T", 1))
}

/// `at` in the viewer's zone once that is known; UTC, and said so, before.
pub fn shown(clock: Clock, at: Micros, detail: Detail) -> impl Fn() -> String + Clone + Send + 'static {
    let running = clock.is_running();
    move || if running.get() { written(at, offset(at), detail) } else { format!("{} UTC", written(at, 0, detail)) }
}

/// Marks of an axis, without the word UTC.
pub fn mark(clock: Clock, at: Micros, detail: Detail) -> impl Fn() -> String + Clone + Send + 'static {
    let running = clock.is_running();
    move || written(at, if running.get() { offset(at) } else { 0 }, detail)
}

/// A point in time.
#[component]
pub fn Time(
    #[prop(into)] at: Signal<Option<Micros>>,
    #[prop(default = Detail::Second)] detail: Detail,
) -> impl IntoView {
    let clock: Clock = expect_context();
    move || {
        match at.get() {
        Some(at) => view! {
            <time class="cs-time" datetime=iso(at) title=shown(clock, at, Detail::Exact)>{shown(clock, at, detail)}</time>
        }
        .into_any(),
        None => view! { <span class="cs-quiet">"–"</span> }.into_any(),
    }
    }
}

/// How long ago, counted on from `base` (the server's clock at the read) until the browser's clock runs.
#[component]
pub fn Ago(
    #[prop(into)] at: Signal<Option<Micros>>,
    base: Micros,
    /// After the duration; " ago" by default.
    #[prop(default = " ago")]
    suffix: &'static str,
) -> impl IntoView {
    let clock: Clock = expect_context();
    move || match at.get() {
        Some(at) => view! {
            <time class="cs-time" datetime=iso(at) title=shown(clock, at, Detail::Exact)>
                {move || {
                    let ago = clock.now().unwrap_or(base) - at;
                    if ago < 2_000_000 { "now".to_owned() } else { format!("{}{suffix}", duration(ago)) }
                }}
            </time>
        }
        .into_any(),
        None => view! { <span class="cs-quiet">"–"</span> }.into_any(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Micros = 1_763_857_927_482_000; // 2025-11-23 00:32:07.482 UTC

    #[test]
    fn a_time_is_written_in_its_zone() {
        assert_eq!(written(AT, 0, Detail::Exact), "2025-11-23 00:32:07.482");
        assert_eq!(written(AT, -3_600_000_000, Detail::Exact), "2025-11-22 23:32:07.482");
        assert_eq!(written(AT, 3_600_000_000, Detail::Day), "23 Nov 01:32");
        assert_eq!(written(AT, 0, Detail::Minute), "00:32");
        assert_eq!(iso(AT), "2025-11-23T00:32:07.482Z");
    }

    #[test]
    fn the_calendar_knows_leap_days_and_times_before_1970() {
        assert_eq!(civil(0), (1970, 1, 1));
        assert_eq!(civil(-1), (1969, 12, 31));
        assert_eq!(civil(11_016), (2000, 2, 29));
        assert_eq!(civil(19_782), (2024, 2, 29));
        assert_eq!(civil(47_540), (2100, 2, 28));
        assert_eq!(civil(47_541), (2100, 3, 1));
    }
}
