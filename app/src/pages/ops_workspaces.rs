//! `/ops`: the workspaces, for the platform's own people

use leptos::prelude::*;
use leptos_meta::Title;

use crate::{
    features::ops::{OpsFrame, WorkspacesContent, api},
    load::load,
    ui::skeleton::PageSkeleton,
};

#[component]
pub fn OpsWorkspacesPage() -> impl IntoView {
    let page = Resource::new(|| (), |()| api::list());
    view! {
        <Title text="Support: workspaces"/>
        {load(
            page,
            || view! { <PageSkeleton figures=0 rows=6/> }.into_any(),
            |content| view! { <OpsFrame person=None>{content}</OpsFrame> }.into_any(),
            |page| view! { <WorkspacesContent page/> }.into_any(),
        )}
    }
}
