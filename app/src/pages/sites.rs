//! `/w/:slug/sites`; `?find=` and a place in the list say which machines

use clarity_domain::view::sites::SitesQuery;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::{hooks::use_query_map, params::ParamsMap};

use crate::{
    features::sites::{Forms, SitesContent, api},
    layout::{
        frame::use_slug,
        page::{Crumb, Page},
    },
    load::load,
    ui::skeleton::PageSkeleton,
};

#[component]
pub fn SitesPage() -> impl IntoView {
    let slug = use_slug();
    let params = use_query_map();
    let query = Memo::new(move |_| params.with(query));
    let forms = Forms::unsent();
    let sent = forms.sent();
    let page = Resource::new(move || (slug.get(), query.get(), sent.get()), |(slug, query, _)| api::read(slug, query));
    view! {
        <Title text="Sites"/>
        {load(
            page,
            || view! { <PageSkeleton figures=0 rows=6/> }.into_any(),
            |content| view! { <Page crumbs=vec![Crumb::here("Sites")]>{content}</Page> }.into_any(),
            move |page| view! { <SitesContent slug=slug.get_untracked() query=query.get_untracked() page forms/> }.into_any(),
        )}
    }
}

/// What the URL asks for; what cannot be read is left out.
fn query(params: &ParamsMap) -> SitesQuery {
    let place = |name: &str| params.get_str(name).and_then(|text| text.parse().ok());
    let find = params.get_str("find").map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    SitesQuery { find, before: place("before"), after: place("after") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_url_says_which_machines_and_nonsense_is_left_out() {
        let mut params = ParamsMap::new();
        for (key, value) in [("find", " press "), ("after", "0-42"), ("before", "here")] {
            params.insert(key, value.to_owned());
        }
        let asked = query(&params);
        assert_eq!((asked.find.as_deref(), asked.before), (Some("press"), None));
        assert_eq!(asked.after.map(|place| place.to_string()).as_deref(), Some("0-42"));
        assert_eq!(query(&ParamsMap::new()), SitesQuery::default());
    }
}
