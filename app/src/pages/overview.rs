//! `/w/:slug`

use clarity_domain::view::{
    overview::{Overview, OverviewQuery},
    range::TimeRange,
};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::{hooks::use_query_map, params::ParamsMap};

use super::apart::{Apart, at_once};
use crate::{
    error::PageError,
    features::{
        overview::{OverviewContent, api},
        set_up::FirstEvent,
    },
    layout::{
        frame::use_slug,
        page::{Crumb, Page},
    },
    load::load,
    ui::skeleton::PageSkeleton,
    wire::Wire,
};

#[component]
pub fn OverviewPage() -> impl IntoView {
    let slug = use_slug();
    let params = use_query_map();
    let query = Memo::new(move |_| params.with(query));
    let overview = Resource::new(move || (slug.get(), query.get()), |(slug, query)| read(slug, query));
    let refresh = Callback::new(move |()| overview.refetch());
    view! {
        <Title text="Overview"/>
        {load(
            overview,
            || view! { <PageSkeleton figures=4 rows=8 chart=true/> }.into_any(),
            |content| view! { <Page crumbs=vec![Crumb::here("Overview")]>{content}</Page> }.into_any(),
            move |overview| {
                let slug = slug.get_untracked();
                if overview.waiting.is_some() {
                    provide_context(FirstEvent { slug, overview, refresh });
                    return at_once(Apart::FirstEvent);
                }
                view! { <OverviewContent slug query=query.get_untracked() overview/> }.into_any()
            },
        )}
    }
}

/// What a workspace without a machine shows is apart: its code comes with the answer.
async fn read(slug: String, query: OverviewQuery) -> Result<Wire<Overview>, PageError> {
    let overview = api::read(slug, query).await;
    #[cfg(feature = "hydrate")]
    if overview.as_ref().is_ok_and(|overview| overview.0.waiting.is_some()) {
        super::apart::fetch().await;
    }
    overview
}

/// What the URL asks for; what cannot be read is left at its default.
fn query(params: &ParamsMap) -> OverviewQuery {
    let page: Option<u32> = params.get_str("page").and_then(|text| text.parse().ok());
    OverviewQuery {
        range: TimeRange::from_query(params.get_str("range"), params.get_str("from"), params.get_str("to")),
        metric: params.get("metric").filter(|metric| !metric.is_empty()),
        asset: params.get_str("asset").and_then(|text| text.parse().ok()),
        page: page.unwrap_or(1).saturating_sub(1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_url_says_what_is_shown_and_nonsense_is_left_out() {
        let mut params = ParamsMap::new();
        for (key, value) in [("range", "6h"), ("metric", "T24"), ("page", "3"), ("asset", "not-an-id")] {
            params.insert(key, value.to_owned());
        }
        let query = query(&params);
        assert_eq!(query.range, Some(TimeRange::Last { minutes: 360 }));
        assert_eq!((query.metric.as_deref(), query.page, query.asset), (Some("T24"), 2, None));
        assert_eq!(super::query(&ParamsMap::new()), OverviewQuery::default());
    }
}
