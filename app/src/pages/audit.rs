//! `/w/:slug/audit`

use clarity_domain::view::audit::{AuditFilter, AuditQuery};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::{hooks::use_query_map, params::ParamsMap};

use crate::{
    features::audit::{AuditContent, api},
    layout::{
        frame::use_slug,
        page::{Crumb, Page},
    },
    load::load,
    ui::skeleton::PageSkeleton,
};

#[component]
pub fn AuditPage() -> impl IntoView {
    let slug = use_slug();
    let params = use_query_map();
    let query = Memo::new(move |_| params.with(query));
    let log = Resource::new(move || (slug.get(), query.get()), |(slug, query)| api::read(slug, query));
    view! {
        <Title text="Audit"/>
        {load(
            log,
            || view! { <PageSkeleton figures=0 rows=12/> }.into_any(),
            |content| view! { <Page crumbs=vec![Crumb::here("Audit")]>{content}</Page> }.into_any(),
            move |log| view! { <AuditContent slug=slug.get_untracked() query=query.get_untracked() log/> }.into_any(),
        )}
    }
}

/// What the URL asks for; what cannot be read is left at its default.
fn query(params: &ParamsMap) -> AuditQuery {
    let place = |name: &str| params.get_str(name).and_then(|text| text.parse().ok());
    AuditQuery {
        filter: AuditFilter::from_query(|name| params.get(name)),
        before: place("before"),
        after: place("after"),
        entry: place("entry"),
        verify: params.get_str("verify") == Some("1"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clarity_domain::audit::Outcome;

    #[test]
    fn the_url_says_what_is_shown_and_nonsense_is_left_out() {
        let mut params = ParamsMap::new();
        for (key, value) in [("outcome", "refused"), ("actor", ""), ("before", "81"), ("entry", "x"), ("verify", "yes")]
        {
            params.insert(key, value.to_owned());
        }
        let asked = query(&params);
        assert_eq!((asked.filter.outcome, asked.filter.actor), (Some(Outcome::Refused), None));
        assert_eq!((asked.before, asked.entry, asked.verify), (Some(81), None, false));
        assert_eq!(query(&ParamsMap::new()), AuditQuery::default());
    }
}
