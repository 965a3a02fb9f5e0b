//! Over every page of a workspace: which limits of its plan are near or reached. The frame has none for those who could do
//! nothing about it.

use clarity_domain::{role::Permission, view::session::Frame};
use leptos::prelude::*;

use super::model;
use crate::{paths, ui::note::Banner};

#[component]
pub fn PlanNotices(frame: Frame) -> impl IntoView {
    let Frame { workspace, notices, .. } = frame;
    let owns = workspace.role.may(Permission::OwnWorkspace);
    let all: Vec<_> = notices
        .into_iter()
        .map(|notice| {
            let more = if owns {
                view! { <a href=paths::usage(&workspace.slug)>"Plan and usage"</a> }.into_any()
            } else {
                view! { <span>"An owner sees the plan."</span> }.into_any()
            };
            view! { <Banner tone=model::tone(notice.standing)>{model::notice_words(notice)} " " {more}</Banner> }
        })
        .collect();
    (!all.is_empty()).then(|| view! { <aside class="cs-plan-notices" aria-label="Plan">{all}</aside> })
}
