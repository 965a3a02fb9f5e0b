//! How far long work is: a real bar with rows done, rows to go and time left. And how much of a limit is used.

use leptos::prelude::*;

use super::number;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Done {
    pub done: u64,
    pub total: Option<u64>,
    pub left_s: Option<u64>,
}

impl Done {
    /// "1 200 of 5 000 rows, 40 s left".
    pub fn words(&self, unit: &str) -> String {
        let done = number::whole(self.done);
        let mut text = match self.total {
            Some(total) => format!("{done} of {} {unit}", number::whole(total.max(self.done))),
            None => format!("{done} {unit}"),
        };
        if let Some(left) = self.left_s {
            text.push_str(", ");
            text.push_str(&clarity_domain::truth::duration(
                i64::try_from(left).unwrap_or(i64::MAX / 2_000_000) * 1_000_000,
            ));
            text.push_str(" left");
        }
        text
    }
}

#[component]
pub fn Progress(
    #[prop(into)] label: String,
    #[prop(into)] at: Signal<Done>,
    /// "rows", "letters".
    unit: &'static str,
) -> impl IntoView {
    let max = move || at.get().total.map(|total| total.max(at.get().done).max(1).to_string());
    let value = move || at.get().total.map(|_| at.get().done.to_string());
    view! {
        <div class="cs-progress">
            <progress class="cs-progress__bar" aria-label=label max=max value=value></progress>
            <span class="cs-progress__words">{move || at.get().words(unit)}</span>
        </div>
    }
}

/// How much of a limit is used: the bar ends at the limit, the words say how it is.
#[component]
pub fn Meter(#[prop(into)] label: String, used: u64, at_most: u64, #[prop(into)] words: String) -> impl IntoView {
    let most = at_most.max(1);
    view! {
        <div class="cs-progress">
            <progress class="cs-progress__bar" aria-label=label max=most.to_string() value=used.min(most).to_string()></progress>
            <span class="cs-progress__words">{words}</span>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::Done;

    #[test]
    fn rows_done_rows_to_go_and_time_left() {
        assert_eq!(
            Done { done: 1200, total: Some(5000), left_s: Some(40) }.words("rows"),
            "1\u{2009}200 of 5\u{2009}000 rows, 40 s left"
        );
        assert_eq!(Done { done: 7, total: None, left_s: None }.words("rows"), "7 rows");
        // An estimate that was too low is not shown as more than all.
        assert_eq!(Done { done: 7, total: Some(5), left_s: None }.words("rows"), "7 of 7 rows");
    }
}
