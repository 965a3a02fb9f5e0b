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
pub fn RangeMenu(slug: String, query: OverviewQuery) -> impl IntoView {
    let clock: Clock = expect_context();
    let link = {
        let query = query.clone();
        move |(text, words): (&'static str, &'static str)| {
            let range: TimeRange = text.parse().unwrap_or_default();
            let href = paths::overview(&slug, &OverviewQuery { range, ..query.clone() });
            view! { <MenuLink href current=range == query.range>{words}</MenuLink> }
        }
    };
    let words = match query.range {
        TimeRange::Between { from, to } => {
            let (from, to) = (mark(clock, from, Detail::Day), mark(clock, to, Detail::Day));
            view! { <span class="cs-number">{from}" to "{to}</span> }.into_any()
        }
        last => {
            let text = last.to_string();
            let known = TimeRange::PRESETS.iter().find(|(key, _)| *key == text).map(|(_, words)| (*words).to_owned());
            known.unwrap_or_else(|| format!("Last {text}")).into_any()
        }
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
