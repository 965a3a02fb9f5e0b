//! The card: what a rewrite is, how far the last one is, and the button that begins one.

use clarity_domain::view::rewrite::{RewriteRow, Rewriting};
use leptos::{form::ActionForm, prelude::*};

use super::{
    api::{self, Start},
    model,
};
use crate::{
    layout::refused::Refused,
    load::load,
    ui::{
        button::{Button, Kind},
        card::Card,
        confirm::Confirm,
        note::Banner,
        pill::Tone,
        progress::Progress,
        time::{Detail, Time},
    },
};

/// How often the card asks while a rewrite runs.
#[cfg(feature = "hydrate")]
const ASK_EVERY: std::time::Duration = std::time::Duration::from_secs(2);

/// Reads by itself: the page it stands on need not know of it.
#[component]
pub fn RewriteCard(#[prop(into)] slug: Signal<String>) -> impl IntoView {
    let start = ServerAction::<Start>::new();
    let rewriting = Resource::new(move || (slug.get(), start.version().get()), |(slug, _)| api::read(slug));
    let refresh = Callback::new(move |()| rewriting.refetch());
    load(
        rewriting,
        || view! { <p class="cs-quiet">"Reading"</p> }.into_any(),
        |content| content,
        move |rewriting| view! { <Content slug=slug.get_untracked() rewriting start refresh/> }.into_any(),
    )
}

#[component]
fn Content(slug: String, rewriting: Rewriting, start: ServerAction<Start>, refresh: Callback<()>) -> impl IntoView {
    let running = rewriting.last.as_ref().is_some_and(model::is_running);
    #[cfg(feature = "hydrate")]
    if running && let Ok(handle) = set_timeout_with_handle(move || refresh.run(()), ASK_EVERY) {
        on_cleanup(move || handle.clear());
    }
    #[cfg(not(feature = "hydrate"))]
    let _ = refresh;
    let failed = move || start.value().get().and_then(Result::err);
    let why_not = model::why_not(&rewriting);
    let button = (!running && why_not.is_none()).then(|| view! { <StartButton slug start/> });
    view! {
        <Card title="Rewrite history" remark="masks at the agent, applied to what is kept already">
            <div class="cs-stack">
                <p>
                    "A mask at the agent is for what comes from now on. A rewrite applies all of them to every event that is kept, and then makes anew what the pages show. Values that came before an agent took up its masks are still clear while it is behind: begin when all agents apply them."
                </p>
                {move || failed().map(|error| view! { <Refused error/> })}
                {rewriting.last.map(last)}
                {why_not.map(|why| view! { <p class="cs-quiet">{why}</p> })}
                {button}
            </div>
        </Card>
    }
}

fn last(row: RewriteRow) -> AnyView {
    let summary = model::summary(&row);
    match (row.finished_at, row.stopped.clone()) {
        (None, _) => view! {
            <Progress label="Rewrite" at=model::done(&row) unit="batches of events"/>
            <p class="cs-quiet">{model::doing(&row)}</p>
        }
        .into_any(),
        (Some(at), Some(why)) => view! {
            <Banner tone=Tone::Warn>"The rewrite stopped " <Time at=Some(at) detail=Detail::Day/> ". " {why} " " {summary}</Banner>
        }
        .into_any(),
        (Some(at), None) => view! {
            <Banner tone=Tone::Ok>"The last rewrite ended " <Time at=Some(at) detail=Detail::Day/> ". " {summary}</Banner>
        }
        .into_any(),
    }
}

#[component]
fn StartButton(slug: String, start: ServerAction<Start>) -> impl IntoView {
    view! {
        <Confirm
            id="rewrite-history".to_owned()
            act="Rewrite history"
            label="Rewrite history".to_owned()
            question="Rewrite history under the masks?"
            message="The clear values go for ever: nobody can bring them back. Hashes get a key that is thrown away afterwards."
        >
            <ActionForm action=start>
                <input type="hidden" name="slug" value=slug/>
                <Button submit=true kind=Kind::Danger disabled=Signal::derive(move || start.pending().get())>"Rewrite history"</Button>
            </ActionForm>
        </Confirm>
    }
}
