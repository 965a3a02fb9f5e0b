//! The chart of one metric, the menu of metrics, and the zoom that becomes the page's range.

use clarity_domain::view::{
    overview::{Overview, OverviewQuery},
    range::TimeRange,
};
use leptos::prelude::*;
use leptos_router::hooks::use_navigate;

use crate::{
    paths,
    ui::{
        card::Card,
        icon::{Icon, Symbol},
        legend::SeriesLegend,
        menu::{Menu, MenuLink, Place},
        note::EmptyNote,
        time_chart::{Line, Lines, TimeChart},
    },
};

#[component]
pub fn ChartCard(state: RwSignal<Overview>, slug: String, query: OverviewQuery) -> impl IntoView {
    let lines = Memo::new(move |_| state.with(|overview| overview.chart.as_ref().map(lines).unwrap_or_default()));
    let names =
        Memo::new(move |_| lines.with(|lines| lines.series.iter().map(|line| line.name.clone()).collect::<Vec<_>>()));
    let title = Signal::derive(move || {
        lines.with(|lines| if lines.name.is_empty() { "Measurements".into() } else { lines.name.clone() })
    });
    let remark = Signal::derive(move || state.with(remark));
    let empty = Memo::new(move |_| lines.with(Lines::is_empty));
    let hidden = Memo::new(move |_| state.with(|overview| overview.chart.as_ref().is_some_and(|chart| chart.hidden)));
    let navigate = use_navigate();
    let zoom = {
        let (slug, query) = (slug.clone(), query.clone());
        Callback::new(move |(from, to)| {
            // Below two steps there is nothing more to see.
            let wide_enough = lines.with_untracked(|lines| to - from >= 2 * lines.step_us);
            if let (Some(range), true) = (TimeRange::between(from, to), wide_enough) {
                navigate(
                    &paths::overview(&slug, &OverviewQuery { range: Some(range), ..query.clone() }),
                    Default::default(),
                );
            }
        })
    };
    let aside = view! { <MetricMenu state slug query/> }.into_any();
    view! {
        <Card title remark span=8 aside>
            <SeriesLegend names/>
            {move || {
                if hidden.get() {
                    view! { <EmptyNote symbol=Symbol::Warning title="Hidden" message="These values are hidden by your workspace's masking. Choose another metric, or ask an admin."/> }.into_any()
                } else if empty.get() {
                    view! { <EmptyNote symbol=Symbol::Clock title="No values in this range" message="Choose a longer range, or another metric."/> }.into_any()
                } else {
                    view! { <TimeChart lines on_zoom=zoom/> }.into_any()
                }
            }}
        </Card>
    }
}

/// Another metric, by a link: it stands in the URL.
#[component]
fn MetricMenu(state: RwSignal<Overview>, slug: String, query: OverviewQuery) -> impl IntoView {
    let (metrics, current) = state.with_untracked(|overview| {
        (overview.metrics.clone(), overview.chart.as_ref().map(|chart| chart.metric.clone()))
    });
    (metrics.len() > 1).then(|| {
        let link = move |metric: clarity_domain::view::overview::MetricChoice| {
            let href = paths::overview(&slug, &OverviewQuery { metric: Some(metric.name.clone()), ..query.clone() });
            let current = current.as_deref() == Some(metric.name.as_str());
            view! { <MenuLink href current>{metric.name}<small>{metric.unit}</small></MenuLink> }
        };
        view! {
            <button class="cs-button" type="button" data-kind="plain" popovertarget="cs-metrics">"Metric" <Icon symbol=Symbol::Chevron/></button>
            <Menu id="cs-metrics" label="Metrics" place=Place::TopEnd>{metrics.into_iter().map(link).collect_view()}</Menu>
        }
    })
}

/// A chart of the page as the kit draws it.
pub fn lines(chart: &clarity_domain::view::overview::Chart) -> Lines {
    Lines {
        name: chart.metric.clone(),
        unit: chart.unit.clone().unwrap_or_default(),
        from: chart.from,
        step_us: chart.step_us,
        series: chart
            .series
            .iter()
            .map(|series| Line { name: series.asset.clone(), values: series.values.clone() })
            .collect(),
    }
}

/// "1 min average, °C, 6 of 100 machines".
fn remark(overview: &Overview) -> String {
    let Some(chart) = &overview.chart else { return String::new() };
    let mut text = format!("{} average", clarity_domain::truth::duration(chart.step_us));
    if let Some(unit) = &chart.unit {
        text.push_str(", ");
        text.push_str(unit);
    }
    if chart.assets_total as usize > chart.series.len() {
        text.push_str(&format!(", {} of {} machines", chart.series.len(), chart.assets_total));
    }
    text
}
