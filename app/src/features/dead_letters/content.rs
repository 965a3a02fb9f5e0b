//! The page's content: all groups, and news from replays that run.

use clarity_domain::view::dead_letters::DeadLetters;
use leptos::prelude::*;

use super::{api::Replay, group::Group};
use crate::{
    layout::page::{Crumb, Page},
    ui::{
        icon::Symbol,
        note::{Banner, EmptyNote},
        number,
        pill::Tone,
    },
};

/// How often the page asks while a replay runs.
#[cfg(feature = "hydrate")]
const ASK_EVERY: std::time::Duration = std::time::Duration::from_secs(2);

#[component]
pub fn DeadLettersContent(
    slug: String,
    letters: DeadLetters,
    action: ServerAction<Replay>,
    refresh: Callback<()>,
) -> impl IntoView {
    let running =
        letters.groups.iter().any(|group| group.replay.as_ref().is_some_and(|replay| replay.finished_at.is_none()));
    #[cfg(feature = "hydrate")]
    if running && let Ok(handle) = set_timeout_with_handle(move || refresh.run(()), ASK_EVERY) {
        on_cleanup(move || handle.clear());
    }
    #[cfg(not(feature = "hydrate"))]
    let _ = (running, refresh);
    let lead = match letters.total {
        0 => "Events that could not be understood are kept here, with their cause".to_owned(),
        1 => "1 event could not be understood; nothing is lost".to_owned(),
        total => format!(
            "{} events could not be understood, in {} cause{}; nothing is lost",
            number::whole(total),
            letters.groups_total,
            if letters.groups_total == 1 { "" } else { "s" }
        ),
    };
    let hidden = (letters.groups_total as usize).saturating_sub(letters.groups.len());
    let base = letters.as_of;
    let error = move || action.value().get().and_then(Result::err);
    view! {
        <Page crumbs=vec![Crumb::here("Dead letters")]>
            <div class="cs-head"><div class="cs-head__text"><h1>"Dead letters"</h1><p>{lead}</p></div></div>
            {move || error().map(|error| view! { <Banner tone=Tone::Bad alert=true>{error.message().to_owned()}</Banner> })}
            {if letters.groups.is_empty() {
                view! {
                    <div class="cs-card">
                        <EmptyNote symbol=Symbol::Check title="No dead letters" message="Every event so far was understood. One that is not stops nothing: it waits here until its cause is fixed."/>
                    </div>
                }
                    .into_any()
            } else {
                let groups = letters.groups.into_iter().map(|group| view! { <Group slug=slug.clone() group base action/> }).collect_view();
                view! { <div class="cs-stack">{groups}</div> }.into_any()
            }}
            {(hidden > 0)
                .then(|| {
                    let words = if hidden == 1 { "1 more cause is".to_owned() } else { format!("{hidden} more causes are") };
                    view! { <p class="cs-quiet">{words} " not shown: they have fewer letters."</p> }
                })}
        </Page>
    }
}
