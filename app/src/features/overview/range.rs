//! The page's time range: a menu of links, since the range stands in the URL.

use clarity_domain::view::{overview::OverviewQuery, range::TimeRange};
use leptos::prelude::*;

use crate::{
    paths,
    ui::{
        icon::{Icon, Symbol},
        menu::{Menu, MenuLink, Place},
        time::{Clock, Detail, mark},
    },
};

#[component]
pub fn RangeMenu(
    slug: String,
    query: OverviewQuery,
    /// What is shown: the query's, or the server's choice.
    range: TimeRange,
) -> impl IntoView {
    let clock: Clock = expect_context();
    let link = move |(text, words): (&'static str, &'static str)| {
        let choice: TimeRange = text.parse().unwrap_or_default();
        let href = paths::overview(&slug, &OverviewQuery { range: Some(choice), ..query.clone() });
        view! { <MenuLink href current=choice == range>{words}</MenuLink> }
    };
    let words = match range {
        TimeRange::Between { from, to } => {
            let (from, to) = (mark(clock, from, Detail::Day), mark(clock, to, Detail::Day));
            view! { <span class="cs-number">{from}" to "{to}</span> }.into_any()
        }
        TimeRange::Last { minutes } => last_words(minutes).into_any(),
    };
    view! {
        <button class="cs-button" type="button" data-kind="plain" popovertarget="cs-range">
            <Icon symbol=Symbol::Clock/>
            <span class="cs-wide-only">{words}</span>
            <span class="cs-visually-hidden">", choose the time range"</span>
        </button>
        <Menu id="cs-range" label="Time range" place=Place::TopEnd>{TimeRange::PRESETS.into_iter().map(link).collect_view()}</Menu>
    }
}

/// "Last 5 minutes": as the menu says it, or counted where the menu has no such range.
fn last_words(minutes: u32) -> String {
    let text = TimeRange::Last { minutes }.to_string();
    let known = TimeRange::PRESETS.iter().find(|(key, _)| *key == text).map(|(_, words)| (*words).to_owned());
    known.unwrap_or_else(|| match minutes {
        minutes if minutes % 1440 == 0 => format!("Last {} days", minutes / 1440),
        minutes if minutes % 60 == 0 => format!("Last {} hours", minutes / 60),
        minutes => format!("Last {minutes} minutes"),
    })
}

#[cfg(test)]
mod tests {
    use super::last_words;

    #[test]
    fn every_range_has_words() {
        for (minutes, words) in [(60, "Last hour"), (5, "Last 5 minutes"), (180, "Last 3 hours"), (4320, "Last 3 days")]
        {
            assert_eq!(last_words(minutes), words);
        }
    }
}
