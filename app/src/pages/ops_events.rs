//! `/ops/events`: what the platform's own people did at their own doors, for themselves

use clarity_domain::view::support::{OpsEventFilter, OpsEventQuery};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::{hooks::use_query_map, params::ParamsMap};

use crate::{
    features::ops::{EventsContent, OpsFrame, api},
    load::load,
    ui::skeleton::PageSkeleton,
};

#[component]
pub fn OpsEventsPage() -> impl IntoView {
    let params = use_query_map();
    let query = Memo::new(move |_| params.with(query));
    let page = Resource::new(move || query.get(), api::events);
    view! {
        <Title text="Support: our own people"/>
        {load(
            page,
            || view! { <PageSkeleton figures=0 rows=12/> }.into_any(),
            |content| view! { <OpsFrame person=None>{content}</OpsFrame> }.into_any(),
            move |page| view! { <EventsContent query=query.get_untracked() page/> }.into_any(),
        )}
    }
}

/// What the URL asks for; what cannot be read is left at its default.
fn query(params: &ParamsMap) -> OpsEventQuery {
    let place = |name: &str| params.get_str(name).and_then(|text| text.parse().ok());
    OpsEventQuery {
        filter: OpsEventFilter::from_query(|name| params.get(name)),
        before: place("before"),
        after: place("after"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clarity_domain::{audit::Outcome, support::OpsAct};

    #[test]
    fn the_url_says_what_is_shown_and_nonsense_is_left_out() {
        let mut params = ParamsMap::new();
        for (key, value) in [("outcome", "refused"), ("act", "sign_in"), ("person", " "), ("before", "81")] {
            params.insert(key, value.to_owned());
        }
        let asked = query(&params);
        assert_eq!((asked.filter.outcome, asked.filter.act), (Some(Outcome::Refused), Some(OpsAct::SignIn)));
        assert_eq!((asked.filter.person, asked.before), (None, None));
        assert_eq!(query(&ParamsMap::new()), OpsEventQuery::default());
    }
}
