//! `/ops/workspaces/:slug`: one workspace, for the platform's own people

use clarity_domain::error::ErrorCode;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;

use crate::{
    error::PageError,
    features::ops::{Forms, OpsFrame, WorkspaceContent, api},
    load::load,
    ui::skeleton::PageSkeleton,
    wire::Wire,
};

#[component]
pub fn OpsWorkspacePage() -> impl IntoView {
    let params = use_params_map();
    let slug = Memo::new(move |_| params.with(|params| params.get("slug").unwrap_or_default()));
    let forms = Forms::unsent();
    let sent = forms.sent();
    let page = Resource::new(
        move || (slug.get(), sent.get()),
        |(slug, _)| async move {
            let page = api::read(slug.clone()).await?.0;
            // Looked at only when an owner lets one: each look is written down.
            let look = if page.live {
                match api::look(slug).await {
                    Ok(look) => Some(look.0),
                    Err(error) if error.code() == ErrorCode::Forbidden => None,
                    Err(error) => return Err(error),
                }
            } else {
                None
            };
            Ok::<_, PageError>(Wire((page, look)))
        },
    );
    view! {
        <Title text="Support: workspace"/>
        {load(
            page,
            || view! { <PageSkeleton figures=0 rows=6/> }.into_any(),
            |content| view! { <OpsFrame person=None>{content}</OpsFrame> }.into_any(),
            move |(page, look)| view! { <WorkspaceContent page look forms/> }.into_any(),
        )}
    }
}
