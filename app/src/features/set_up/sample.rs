//! Recorded data of other machines, in the place of a page that has nothing to show yet. It is said on every card, and nothing
//! of it leads anywhere.

use clarity_domain::view::overview::{AssetRow, Overview};
use leptos::prelude::*;

use crate::{
    features::overview::{self, Figures, Reasons, States},
    ui::{
        card::Card,
        legend::SeriesLegend,
        note::Banner,
        number::{self, Number},
        pill::{Pill, Tone},
        table::{Column, Table},
        time::Ago,
        time_chart::TimeChart,
    },
};

/// The recording moves with the clock: its finest step is ten seconds.
#[cfg(feature = "hydrate")]
const STEP: std::time::Duration = std::time::Duration::from_secs(10);

#[component]
pub fn Sample(
    slug: String,
    sample: Overview,
    /// The switch that hides it.
    children: Children,
) -> impl IntoView {
    let state = RwSignal::new(sample);
    follow(slug, state);
    let lines = Memo::new(move |_| state.with(|sample| sample.chart.as_ref().map(overview::lines).unwrap_or_default()));
    let names =
        Memo::new(move |_| lines.with(|lines| lines.series.iter().map(|line| line.name.clone()).collect::<Vec<_>>()));
    let title = Signal::derive(move || lines.with(|lines| lines.name.clone()));
    let remark = Signal::derive(move || lines.with(|lines| lines.unit.clone()));
    // There is nothing to look at more closely.
    let stay = Callback::new(|_: (i64, i64)| {});
    view! {
        <section class="cs-stack cs-sample" aria-labelledby="sample-title">
            <Banner tone=Tone::Warn>
                <h2 id="sample-title">"Sample data · not your machines"</h2>
                <p>
                    "This is what an Overview shows. A hydraulic test rig, measured at ZeMA, and two engines of NASA's C-MAPSS simulation, \
                    recorded long ago and replayed as if it were now. It is on this page alone: in no figure, search, export or API of \
                    yours, and it goes with your first event."
                </p>
                {children()}
            </Banner>
            <div class="cs-grid">
                <Figures state/>
                <Card title remark span=8>
                    <SeriesLegend names/>
                    <TimeChart lines on_zoom=stay/>
                </Card>
                <Reasons state/>
                <States state/>
                <Machines state/>
            </div>
        </section>
    }
}

/// Reads the sample again as the clock goes on.
#[cfg(feature = "hydrate")]
fn follow(slug: String, state: RwSignal<Overview>) {
    use clarity_domain::view::overview::OverviewQuery;
    use leptos::task::spawn_local;
    let read = move || {
        let slug = slug.clone();
        spawn_local(async move {
            // A failure changes nothing: the page's own stream says that the connection is lost.
            if let Ok(page) = overview::api::read(slug, OverviewQuery::default()).await
                && let Some(sample) = page.0.sample
            {
                state.try_set(*sample);
            }
        });
    };
    if let Ok(interval) = set_interval_with_handle(read, STEP) {
        on_cleanup(move || interval.clear());
    }
}

#[cfg(not(feature = "hydrate"))]
fn follow(_: String, _: RwSignal<Overview>) {}

/// As on an Overview, without links.
#[component]
fn Machines(state: RwSignal<Overview>) -> impl IntoView {
    let heads = state.with_untracked(|sample| {
        sample.assets.first().map(|row| row.latest.iter().map(|latest| latest.metric.clone()).collect::<Vec<_>>())
    });
    let mut columns = vec![Column::new("Asset"), Column::new("State")];
    columns.extend(heads.unwrap_or_default().into_iter().map(Column::end));
    columns.push(Column::end("Updated"));
    let rows = move || {
        let (rows, now) = state.with(|sample| (sample.assets.clone(), sample.as_of));
        rows.into_iter().map(|row| draw(row, now)).collect_view()
    };
    view! {
        <Card title="Assets">
            <div class="cs-table-scroll"><Table caption="Sample machines" columns>{rows}</Table></div>
        </Card>
    }
}

fn draw(row: AssetRow, now: i64) -> impl IntoView {
    let updated = row.latest.iter().filter_map(|latest| latest.at).max();
    let words = overview::state_words(row.state, row.state_since, now);
    let tone = overview::tone(row.state);
    let values = row
        .latest
        .into_iter()
        .map(|latest| {
            let (value, unit) = (latest.value.map(number::measured), latest.unit.unwrap_or_default());
            view! { <td data-align="end" data-label=latest.metric><Number value=Signal::stored(value) unit=Signal::stored(unit)/></td> }
        })
        .collect_view();
    view! {
        <tr>
            <th scope="row">{row.name}</th>
            <td data-label="State"><span class="cs-row"><Pill tone text=words/><span class="cs-quiet">{row.state_reason}</span></span></td>
            {values}
            <td data-align="end" data-label="Updated"><Ago at=Signal::stored(updated) base=now/></td>
        </tr>
    }
}
